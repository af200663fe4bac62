/** The first thing on the page: the method in one drawing, and three ways on. */

const WAYS = [
  {
    href: '#scenes',
    title: 'Try a scene',
    what: 'Choose a picture below: what does CLIP answer, with and without learned words?',
  },
  { href: '#tune', title: 'Tune the words', what: 'Learn them here, batch by batch, and watch the answers change.' },
  { href: '#how', title: 'See how it works', what: 'Open every number between the picture and the answer.' },
] as const;

export function Intro() {
  return (
    <div class="intro">
      <ul class="ways">
        {WAYS.map(({ href, title, what }) => (
          <li key={href}>
            <a href={href}>{title}</a>
            <span>{what}</span>
          </li>
        ))}
      </ul>
      <Method />
    </div>
  );
}

/** How strongly each token of three classes goes into the prompt of the picture that is drawn. */
const STRENGTHS = [
  [0.3, 0.2, 0.3, 0.25],
  [0.95, 0.75, 0.9, 0.7],
  [0.2, 0.3, 0.15, 0.35],
] as const;
const PROBABILITIES = [0.16, 1, 0.08] as const;

/** docs/images/method.svg, as small as it goes. */
function Method() {
  return (
    <svg class="method" viewBox="0 0 400 190" role="img" aria-labelledby="method-title method-text">
      <title id="method-title">How PT-DPC classifies a picture</title>
      <desc id="method-text">
        CLIP’s frozen image encoder turns the picture into a feature. The feature weights learned prompts, one for each
        class; their weighted sum is one prompt for this picture. CLIP’s frozen text encoder reads it with each class
        word, and the cosine of that text and the feature gives the probability of the class.
      </desc>
      <defs>
        <marker id="method-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">
          <path d="M0 0l8 4-8 4z" />
        </marker>
      </defs>
      <rect class="sky" x="1" y="8" width="62" height="46" rx="4" />
      <circle class="sun" cx="46" cy="21" r="7" />
      <path class="hill" d="M1 54v-12q16-17 31-4 15-13 31 2v10q0 4-4 4H5q-4 0-4-4z" />
      <text x="32" y="69">
        picture
      </text>
      <path class="arrow" d="M65 31h12" />
      <Frozen x={79} y={14} width={102} what="image encoder" />
      <path class="arrow" d="M181 31h15" />
      {Array.from({ length: 5 }, (_, i) => (
        <rect key={i} class="feature" x={199 + 8 * i} y="24" width="7" height="14" rx="2" />
      ))}
      <text x="219" y="18">
        feature
      </text>
      <path class="arrow" d="M240 31h43" />
      <rect class="step" x="285" y="19" width="38" height="24" rx="5" />
      <text x="304" y="35">
        cos
      </text>
      <path class="arrow" d="M323 31h13" />
      {PROBABILITIES.map((share, i) => (
        <rect key={share} class="feature" x="339" y={12 + 14 * i} width={58 * share} height="10" rx="2" />
      ))}
      <text x="399" y="69" class="end">
        probabilities
      </text>
      {STRENGTHS.flatMap((row, r) =>
        row.map((strength, c) => (
          <rect
            key={`${r} ${c}`}
            class="token"
            x={1 + 27 * c}
            y={106 + 17 * r}
            width="24"
            height="14"
            rx="3"
            fill-opacity={strength}
          />
        )),
      )}
      <text x="53" y="171">
        learned prompts
      </text>
      <text x="53" y="186" class="soft">
        one for each class
      </text>
      <path class="arrow" d="M110 130h95" />
      <path class="arrow" d="M219 41v75" />
      <text x="212" y="88" class="end">
        weights
      </text>
      <circle class="step" cx="219" cy="130" r="12" />
      <text x="219" y="135">
        Σ
      </text>
      <path class="arrow" d="M231 130h10" />
      {Array.from({ length: 4 }, (_, i) => (
        <rect key={i} class="token" x={244 + 16 * i} y="123" width="14" height="14" rx="3" fill-opacity="0.7" />
      ))}
      <rect class="step" x="309" y="121" width="34" height="18" rx="3" />
      <text x="326" y="135">
        awe
      </text>
      <text x="299" y="157">
        this picture’s prompt
      </text>
      <text x="299" y="172" class="soft">
        and a class word
      </text>
      <path class="arrow" d="M304 121v-12" />
      <Frozen x={257} y={72} width={94} what="text encoder" />
      <path class="arrow" d="M304 72V46" />
    </svg>
  );
}

function Frozen(props: { readonly x: number; readonly y: number; readonly width: number; readonly what: string }) {
  const { x, y, width, what } = props;
  return (
    <>
      <rect class="step" x={x} y={y} width={width} height="34" rx="5" />
      <text x={x + width / 2} y={y + 15}>
        {what}
      </text>
      <text x={x + width / 2} y={y + 28} class="soft">
        frozen
      </text>
    </>
  );
}
