/** What decoding an image takes, told from the first bytes of its file: before it is decoded, and without saying that it can be. */

/**
 * Bytes per pixel at the height of decoding: a codec's memory (14 for a progressive JPEG, which keeps all its coefficients), the pixels with four
 * channels, and with three.
 */
const BYTES_PER_PIXEL = 21;
/** The same of what is decoded row by row: PNG, and JPEG of one scan and up to three components. */
const BYTES_PER_PIXEL_BY_ROWS = 15;

/** Memory in bytes at the height of decoding a file; 0 for what is no image. */
export function decodingBytes(bytes: Uint8Array): number {
  const { width, height, byRows } = sizeOf(bytes) ?? { width: 0, height: 0 };
  return width * height * (byRows ? BYTES_PER_PIXEL_BY_ROWS : BYTES_PER_PIXEL);
}

interface Size {
  readonly width: number;
  readonly height: number;
  readonly byRows?: boolean;
}

function sizeOf(bytes: Uint8Array): Size | undefined {
  if (bytes.length < 30) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (view.getUint16(0)) {
    case 0x8950: // PNG
      return { width: view.getUint32(16), height: view.getUint32(20), byRows: true };
    case 0xffd8:
      return jpegSize(view);
    case 0x4749: // GIF
      return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
    case 0x424d: // BMP
      return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
    case 0x5249: // RIFF
      return webpSize(view);
    default:
      return undefined;
  }
}

/** Goes from segment to segment as far as the start of the frame, which is before any coded data. */
function jpegSize(view: DataView): Size | undefined {
  for (let at = 2; at + 10 <= view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) at++;
    else if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return {
        width: view.getUint16(at + 7),
        height: view.getUint16(at + 5),
        byRows: marker <= 0xc1 && view.getUint8(at + 9) <= 3,
      };
    else at += 2 + (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8) ? 0 : view.getUint16(at + 2));
  }
  return undefined;
}

function webpSize(view: DataView): Size {
  const low24 = (at: number) => view.getUint16(at, true) + 65536 * view.getUint8(at + 2);
  switch (view.getUint8(15)) {
    case 0x58: // VP8X
      return { width: 1 + low24(24), height: 1 + low24(27) };
    case 0x4c: {
      // VP8L: 14 bits each, behind the signature.
      const bits = view.getUint32(21, true);
      return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
    }
    default:
      return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
}
