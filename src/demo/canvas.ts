/**
 * A small software canvas: soft-edged shapes over floating-point RGB.
 *
 * The image is one unit high and `aspect` wide; x grows to the right and y downwards. A shape is a signed distance
 * function (negative inside), as in Inigo Quilez's articles on 2D distance functions, and its edge is blended over one
 * pixel. Only + - * / and sqrt are used, which IEEE 754 rounds exactly, so the pixels do not depend on the engine.
 */

/** Red, green and blue, each in [0, 1]. */
export type Colour = readonly [number, number, number];
export type Point = readonly [x: number, y: number];
export type Box = readonly [left: number, top: number, right: number, bottom: number];

/** Interpolates between two colours (t = 0 and t = 1). */
export function blend(from: Colour, to: Colour, t: number): Colour {
  return [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t, from[2] + (to[2] - from[2]) * t];
}

/** A colour as it appears under coloured light. */
export function lit(colour: Colour, light: Colour): Colour {
  return [colour[0] * light[0], colour[1] * light[1], colour[2] * light[2]];
}

export const clamp = (value: number, low = 0, high = 1): number => Math.min(Math.max(value, low), high);

/** Signed distance from a point to the segment from a to b. */
function segmentDistance(x: number, y: number, a: Point, b: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const along = clamp(((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy + 1e-12));
  const [ex, ey] = [x - a[0] - along * dx, y - a[1] - along * dy];
  return Math.sqrt(ex * ex + ey * ey);
}

export class Canvas {
  readonly width: number;
  readonly height: number;
  readonly aspect: number;
  /** RGB, row by row from the top. */
  readonly #values: Float64Array;

  /** @param width @param height in pixels. */
  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.aspect = width / height;
    this.#values = new Float64Array(width * height * 3);
  }

  /** Blends a colour over every pixel of a box; the function gives the colour and its opacity in [0, 1]. */
  wash(paint: (x: number, y: number) => readonly [colour: Colour, opacity: number], box?: Box): void {
    this.#visit(box ?? [0, 0, this.aspect, 1], (x, y, at) => {
      const [colour, opacity] = paint(x, y);
      this.#lay(at, colour, opacity);
    });
  }

  /** Fills where the signed distance is negative. The box is the shape's own; the soft edge is added to it. */
  #fill(distance: (x: number, y: number) => number, box: Box, colour: Colour, opacity: number): void {
    const edge = 1 / this.height;
    this.#visit([box[0] - edge, box[1] - edge, box[2] + edge, box[3] + edge], (x, y, at) => {
      this.#lay(at, colour, opacity * clamp(0.5 - distance(x, y) * this.height));
    });
  }

  /** Calls back with the centre of every pixel that touches the box, and the index of its red value. */
  #visit([left, top, right, bottom]: Box, visitor: (x: number, y: number, at: number) => void): void {
    const firstColumn = Math.max(0, Math.floor(left * this.height));
    const lastColumn = Math.min(this.width, Math.ceil(right * this.height));
    const firstRow = Math.max(0, Math.floor(top * this.height));
    const lastRow = Math.min(this.height, Math.ceil(bottom * this.height));
    for (let row = firstRow; row < lastRow; row++) {
      for (let column = firstColumn; column < lastColumn; column++) {
        visitor((column + 0.5) / this.height, (row + 0.5) / this.height, (row * this.width + column) * 3);
      }
    }
  }

  #lay(at: number, colour: Colour, opacity: number): void {
    if (opacity <= 0) return;
    for (let channel = 0; channel < 3; channel++) {
      const under = this.#values[at + channel]!;
      this.#values[at + channel] = under + (colour[channel]! - under) * opacity;
    }
  }

  /** An ellipse with half axes rx and ry. */
  ellipse([cx, cy]: Point, rx: number, ry: number, colour: Colour, opacity = 1): void {
    const distance = (x: number, y: number): number => {
      const [u, v] = [(x - cx) / rx, (y - cy) / ry];
      return (Math.sqrt(u * u + v * v) - 1) * Math.min(rx, ry);
    };
    this.#fill(distance, [cx - rx, cy - ry, cx + rx, cy + ry], colour, opacity);
  }

  disc(centre: Point, radius: number, colour: Colour, opacity = 1): void {
    this.ellipse(centre, radius, radius, colour, opacity);
  }

  /** A soft round light whose opacity falls off smoothly to 0 at the radius. */
  glow([cx, cy]: Point, radius: number, colour: Colour, opacity: number): void {
    this.wash(
      (x, y) => {
        const fall = clamp(1 - ((x - cx) * (x - cx) + (y - cy) * (y - cy)) / (radius * radius));
        return [colour, opacity * fall * fall];
      },
      [cx - radius, cy - radius, cx + radius, cy + radius],
    );
  }

  /** A line with round ends. */
  stroke(from: Point, to: Point, thickness: number, colour: Colour, opacity = 1): void {
    const half = Math.max(thickness, 1 / this.height) / 2;
    this.#fill(
      (x, y) => segmentDistance(x, y, from, to) - half,
      [
        Math.min(from[0], to[0]) - half,
        Math.min(from[1], to[1]) - half,
        Math.max(from[0], to[0]) + half,
        Math.max(from[1], to[1]) + half,
      ],
      colour,
      opacity,
    );
  }

  /** A closed polygon (even-odd rule). */
  polygon(corners: readonly Point[], colour: Colour, opacity = 1): void {
    const distance = (x: number, y: number): number => {
      let nearest = Number.POSITIVE_INFINITY;
      let inside = false;
      for (let index = 0; index < corners.length; index++) {
        const a = corners[index]!;
        const b = corners[(index + 1) % corners.length]!;
        nearest = Math.min(nearest, segmentDistance(x, y, a, b));
        const crosses = a[1] > y !== b[1] > y && x < a[0] + ((y - a[1]) * (b[0] - a[0])) / (b[1] - a[1]);
        if (crosses) inside = !inside;
      }
      return inside ? -nearest : nearest;
    };
    const xs = corners.map((corner) => corner[0]);
    const ys = corners.map((corner) => corner[1]);
    this.#fill(distance, [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], colour, opacity);
  }

  /** An upright rectangle. */
  box(left: number, top: number, width: number, height: number, colour: Colour, opacity = 1): void {
    this.polygon(
      [
        [left, top],
        [left + width, top],
        [left + width, top + height],
        [left, top + height],
      ],
      colour,
      opacity,
    );
  }

  /** Everything below the line y = edge(x). */
  ground(edge: (x: number) => number, colour: (x: number, y: number) => Colour, opacity = 1): void {
    this.wash((x, y) => [colour(x, y), opacity * clamp(0.5 + (y - edge(x)) * this.height)]);
  }

  /** The image as 8-bit RGB, row by row from the top. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#values.length);
    for (let index = 0; index < bytes.length; index++) {
      bytes[index] = Math.floor(clamp(this.#values[index]!) * 255 + 0.5);
    }
    return bytes;
  }
}
