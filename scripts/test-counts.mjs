// Ends a run of continuous integration: reads vitest's JSON report, prints `N passed, N failed, N skipped` (tests, not files) on a
// line of its own, and exits with 1 unless every test passed and some of them ran on a WebGPU device.
//
//     node scripts/test-counts.mjs REPORT
import { readFileSync } from 'node:fs';

// How `describeOn` of test/support/devices.ts names a suite on that backend.
const ON_WEBGPU = / on webgpu\b/;

const [path] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, 'utf8'));
const tests = report.testResults.flatMap((file) => file.assertionResults);
const withStatus = (...statuses) => tests.filter(({ status }) => statuses.includes(status));

const passed = withStatus('passed');
const failed = withStatus('failed');
// `pending`, `todo`, `disabled`, and whatever else a runner may call a test that it did not run.
const skipped = tests.filter((test) => !passed.includes(test) && !failed.includes(test));
const brokenFiles = report.testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
);

const problems = [
  ...failed.map(({ fullName }) => `failed: ${fullName}`),
  ...skipped.map(({ fullName }) => `skipped: ${fullName}`),
  ...brokenFiles.map(({ name, message }) => `did not load: ${name} ${message}`),
];
if (!passed.some(({ fullName }) => ON_WEBGPU.test(fullName))) problems.push('no test ran on WebGPU');
if (!report.success) problems.push('vitest reports a failure');

for (const problem of problems) console.error(problem);
console.log(`${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`);
process.exitCode = problems.length > 0 ? 1 : 0;
