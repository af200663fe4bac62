/** Gives the user a file, as a download. */
export function saveFile(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  const url = URL.createObjectURL(new Blob([bytes]));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download begins after this, and holds on to the data itself once it has.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
