/** What learned tokens have become: the nearest words of each. */
import type { PromptExplanation } from '../../../src/ptdpc/index.js';
import { DataTable } from '../data-table.js';
import { shortest, whole, wordOf } from '../format.js';
import { MOST_SHOWN } from '../most-shown.js';

export function Words({ words }: { readonly words: PromptExplanation }) {
  const { prompts, classes, equal, absent } = words;
  const shown = equal ? prompts.slice(0, 1) : prompts.slice(0, MOST_SHOWN);
  return (
    <>
      <p>
        Learned tokens are vectors, not words. Each row shows the initial token, the cosine to it, and the tokens of the
        vocabulary that are nearest now. A dash at the end marks a token that does not end a word.
        {equal && ' The tokens of all classes are equal: they started equal, and composition treats all classes alike.'}
      </p>
      {absent.map((line) => (
        <p key={line} class="note">
          This mode has {line}.
        </p>
      ))}
      {!equal && shown.length < prompts.length && (
        <p class="note">
          The first {shown.length} of {whole(prompts.length)} classes.
        </p>
      )}
      {shown.map((prompt, i) => {
        const whose = prompt.class === null || equal ? 'all classes' : classes[prompt.class]!;
        const table = <WordTable words={words} place={i} whose={whose} />;
        if (shown.length === 1) return table;
        return (
          <details key={whose} open={i === 0}>
            <summary>{whose}</summary>
            {table}
          </details>
        );
      })}
    </>
  );
}

interface WordTableProps {
  readonly words: PromptExplanation;
  readonly place: number;
  readonly whose: string;
}

function WordTable({ words: { prompts, tokens }, place, whose }: WordTableProps) {
  const rows = prompts[place]!.tokens;
  const ranks = rows[0]?.nearest.map((_, rank) => `nearest ${rank + 1}`) ?? [];
  return (
    <DataTable
      label={`Nearest words of the learned tokens: ${whose}`}
      kind="words"
      head={['token', 'began as', 'cosine now', ...ranks]}
      rows={rows.map(({ start, nearest }, j) => [
        j + 1,
        wordOf(tokens[j]!),
        shortest(start.similarity, 3),
        ...nearest.map((word) => (
          <>
            {wordOf(word)} <small>{shortest(word.similarity, 3)}</small>
          </>
        )),
      ])}
    />
  );
}
