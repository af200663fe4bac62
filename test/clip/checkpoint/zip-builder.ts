/** Writes small ZIP archives for tests: stored or deflated, 32- or 64-bit, and with sizes that lie where asked to. */
import { deflateSync } from 'fflate';
import { concat, littleEndian } from '../../support/bytes.js';

export interface ZipPart {
  readonly name: string;
  readonly data: Uint8Array | string;
  readonly deflate?: boolean;
  /** What the directory claims instead of the truth. */
  readonly claim?: { size?: number; compressedSize?: number; headerOffset?: number; method?: number; flags?: number };
}

export interface ZipOptions {
  /** Puts every size and offset into ZIP64 records. */
  readonly zip64?: boolean;
  readonly comment?: string;
  readonly claimedEntries?: number;
}

export function buildZip(parts: readonly ZipPart[], options: ZipOptions = {}): Uint8Array<ArrayBuffer> {
  const { zip64 = false, comment = '' } = options;
  const body: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const part of parts) {
    const data = concat(part.data);
    const stored = part.deflate ? deflateSync(data) : data;
    const size = part.claim?.size ?? data.length;
    const compressedSize = part.claim?.compressedSize ?? stored.length;
    const headerOffset = part.claim?.headerOffset ?? offset;
    const head = concat(
      littleEndian(part.claim?.flags ?? 0x800, 2),
      littleEndian(part.claim?.method ?? (part.deflate ? 8 : 0), 2),
      new Uint8Array(8),
    );
    const lengths = concat(littleEndian(compressedSize, 4), littleEndian(size, 4));
    const name = concat(part.name);
    // A local extra field, as torch writes to align its data; the directory has another one, or none.
    const padding = concat(littleEndian(0x4246, 2), littleEndian(5, 2), 'ZZZZZ');
    const local = concat(
      'PK',
      3,
      4,
      20,
      0,
      head,
      lengths,
      littleEndian(name.length, 2),
      littleEndian(padding.length, 2),
      name,
      padding,
      stored,
    );
    const wide = concat(
      littleEndian(1, 2),
      littleEndian(24, 2),
      littleEndian(size, 8),
      littleEndian(compressedSize, 8),
      littleEndian(headerOffset, 8),
    );
    const all = new Uint8Array(4).fill(0xff);
    directory.push(
      concat(
        concat('PK', 1, 2, 20, 0, 20, 0, head),
        zip64 ? concat(all, all) : lengths,
        concat(littleEndian(name.length, 2), littleEndian(zip64 ? wide.length : 0, 2), new Uint8Array(10)),
        zip64 ? all : littleEndian(headerOffset, 4),
        name,
        zip64 ? wide : '',
      ),
    );
    body.push(local);
    offset += local.length;
  }
  const files = concat(...body);
  const entries = concat(...directory);
  const count = options.claimedEntries ?? parts.length;
  const end64 = concat(
    concat(
      'PK',
      6,
      6,
      littleEndian(44, 8),
      45,
      0,
      45,
      0,
      new Uint8Array(8),
      littleEndian(count, 8),
      littleEndian(count, 8),
    ),
    concat(littleEndian(entries.length, 8), littleEndian(files.length, 8)),
    concat('PK', 6, 7, new Uint8Array(4), littleEndian(files.length + entries.length, 8), littleEndian(1, 4)),
  );
  const all = new Uint8Array(12).fill(0xff);
  const end = concat(
    concat('PK', 5, 6, new Uint8Array(4)),
    zip64
      ? all
      : concat(
          littleEndian(count, 2),
          littleEndian(count, 2),
          littleEndian(entries.length, 4),
          littleEndian(files.length, 4),
        ),
    concat(littleEndian(comment.length, 2), comment),
  );
  return concat(files, entries, zip64 ? end64 : '', end);
}
