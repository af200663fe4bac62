/**
 * The supported image formats, used for walking folders, the page's file dialogue, manifests, messages and help. Decoding detects the
 * format by the first bytes (`decode.ts`), so a file may have the extension of another format in this list.
 */

/** An image format with its file extensions and media type. */
export interface ImageFormat {
  readonly name: string;
  /** In lower case, with the dot; the first is the usual one. */
  readonly extensions: readonly string[];
  readonly mediaType: string;
}

/** The supported formats. */
export const IMAGE_FORMATS: readonly ImageFormat[] = [
  { name: 'JPEG', extensions: ['.jpg', '.jpeg', '.jfif'], mediaType: 'image/jpeg' },
  { name: 'PNG', extensions: ['.png'], mediaType: 'image/png' },
  { name: 'WebP', extensions: ['.webp'], mediaType: 'image/webp' },
  { name: 'GIF', extensions: ['.gif'], mediaType: 'image/gif' },
  { name: 'BMP', extensions: ['.bmp'], mediaType: 'image/bmp' },
];

const extensions = IMAGE_FORMATS.flatMap((format) => format.extensions);
const pattern = `\\.(?:${extensions.map((extension) => extension.slice(1)).join('|')})`;

/** Matches names with an image extension, ignoring case. */
export const IMAGE_NAME: RegExp = new RegExp(`${pattern}$`, 'i');

const ending = new RegExp(`${pattern}(?=\\s|$)`, 'gi');

/**
 * The image file name at the beginning of a line, up to the last extension that is followed by white space or the end of the line;
 * undefined if there is none. Takes time linear in the length of the line.
 */
export function imageNameInLine(line: string): string | undefined {
  const text = line.trimStart();
  let end = 0;
  for (const { index, 0: extension } of text.matchAll(ending)) if (index > 0) end = index + extension.length;
  return end > 0 ? text.slice(0, end) : undefined;
}

/** For messages, e.g. `.jpg, .jpeg, .png or .bmp`. */
export const IMAGE_EXTENSIONS: string = either(extensions);

/** For messages, e.g. `JPEG, PNG or BMP`. */
export const IMAGE_FORMAT_NAMES: string = either(IMAGE_FORMATS.map(({ name }) => name));

function either(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
