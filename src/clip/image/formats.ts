/**
 * The image formats that are read: the one list from which folders are walked, the page's file dialogue, manifests, messages and help
 * are made. Files are recognised by their first bytes (`decode.ts`), so a wrong extension of this list does no harm.
 */

/** An image format, by its file names and its media type. */
export interface ImageFormat {
  readonly name: string;
  /** In lower case, each with its dot; the first is the usual one. */
  readonly extensions: readonly string[];
  readonly mediaType: string;
}

/** All formats that are read. */
export const IMAGE_FORMATS: readonly ImageFormat[] = [
  { name: 'JPEG', extensions: ['.jpg', '.jpeg', '.jfif'], mediaType: 'image/jpeg' },
  { name: 'PNG', extensions: ['.png'], mediaType: 'image/png' },
  { name: 'WebP', extensions: ['.webp'], mediaType: 'image/webp' },
  { name: 'GIF', extensions: ['.gif'], mediaType: 'image/gif' },
  { name: 'BMP', extensions: ['.bmp'], mediaType: 'image/bmp' },
];

const extensions = IMAGE_FORMATS.flatMap((format) => format.extensions);
const pattern = `\\.(?:${extensions.map((extension) => extension.slice(1)).join('|')})`;

/** What a file's name ends with if it is to be read as an image; case does not matter. */
export const IMAGE_NAME: RegExp = new RegExp(`${pattern}$`, 'i');

const ending = new RegExp(`${pattern}(?=\\s|$)`, 'gi');

/**
 * The name of an image file at the beginning of a line, up to the last extension that white space or the end follows; undefined if there is
 * none. It takes time in proportion to the line.
 */
export function imageNameInLine(line: string): string | undefined {
  const text = line.trimStart();
  let end = 0;
  for (const { index, 0: extension } of text.matchAll(ending)) if (index > 0) end = index + extension.length;
  return end > 0 ? text.slice(0, end) : undefined;
}

/** For people: `.jpg, .jpeg, .png or .bmp`. */
export const IMAGE_EXTENSIONS: string = either(extensions);

/** For people: `JPEG, PNG or BMP`. */
export const IMAGE_FORMAT_NAMES: string = either(IMAGE_FORMATS.map(({ name }) => name));

function either(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
