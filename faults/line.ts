/** A straight line through points that are not kept, by least squares: a soak must not grow by what it remembers. */
export class Line {
  #count = 0;
  #meanX = 0;
  #meanY = 0;
  #xx = 0;
  #xy = 0;

  add(x: number, y: number): void {
    this.#count++;
    // Welford's updates: sums of squares would lose the slope of large numbers that hardly change.
    const dx = x - this.#meanX;
    this.#meanX += dx / this.#count;
    this.#meanY += (y - this.#meanY) / this.#count;
    this.#xx += dx * (x - this.#meanX);
    this.#xy += dx * (y - this.#meanY);
  }

  get count(): number {
    return this.#count;
  }

  /** 0 for fewer than two points. */
  get slope(): number {
    return this.#xx > 0 ? this.#xy / this.#xx : 0;
  }
}
