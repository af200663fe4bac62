/** Charts and pages of results, without a browser or a file: see README.md. Apart from the library's index, since it brings ECharts. */

export { certificatePage } from './certificate-page.js';
export * from './charts/dumbbells.js';
export * from './charts/heat-map.js';
export * from './charts/lines.js';
export * from './charts/reliability.js';
export * from './charts/seeds.js';
export * from './charts/shots.js';
export { comparisonReport } from './comparison-report.js';
export type { Drawing } from './drawing.js';
export * from './experiment-report.js';
export type { Made, Section } from './page/document.js';
export * from './run-report.js';
export type { Case, Picture } from './sections/predictions.js';
export { absentPrompts, type PromptsReport, promptsSection, type WeighedPicture } from './sections/prompts.js';
export { studyReport } from './study-report.js';
