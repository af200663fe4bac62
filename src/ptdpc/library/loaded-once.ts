/** Something that is loaded when it is first needed, and lives as long as its owner. */
export class LoadedOnce<T extends Disposable> implements Disposable {
  #pending: Promise<T> | undefined;
  #value: T | undefined;
  #disposed = false;

  constructor(private readonly load: () => Promise<T>) {}

  /** The same value every time; a failure is tried again. */
  get(): Promise<T> {
    if (this.#disposed) return Promise.reject(new Error('the model was used after it was disposed'));
    this.#pending ??= this.#loadNow();
    return this.#pending;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#value?.[Symbol.dispose]();
    this.#value = undefined;
  }

  async #loadNow(): Promise<T> {
    try {
      const value = await this.load();
      if (this.#disposed) {
        value[Symbol.dispose]();
        throw new Error('the model was disposed while it was loading');
      }
      this.#value = value;
      return value;
    } catch (error) {
      this.#pending = undefined;
      throw error;
    }
  }
}
