/** What learned tokens have become: the nearest words of each. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { PromptExplanation } from '../../../src/ptdpc/index.js';
import { MOST_SHOWN } from '../../most-shown.js';
import { DataTable } from '../data-table.js';
import { shortest, whole, wordOf } from '../format.js';

export function Words({ words }: { readonly words: PromptExplanation }) {
  const { prompts, classes, equal, absent } = words;
  const shown = equal ? prompts.slice(0, 1) : prompts;
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
      {shown.length === MOST_SHOWN && classes.length > MOST_SHOWN && (
        <p class="note">
          The first {MOST_SHOWN} of {whole(classes.length)} classes.
        </p>
      )}
      {shown.map((prompt, i) => {
        const whose = prompt.class === null || equal ? 'all classes' : classes[prompt.class]!;
        const table = <WordTable words={words} place={i} whose={whose} />;
        if (shown.length === 1) return table;
        return (
          <Opened key={i} title={whose} open={i === 0}>
            {table}
          </Opened>
        );
      })}
    </>
  );
}

interface OpenedProps {
  readonly title: string;
  /** At first. */
  readonly open: boolean;
  readonly children: ComponentChildren;
}

/** What can be opened, and is made when it first is. */
function Opened({ title, open, children }: OpenedProps) {
  const [made, setMade] = useState(open);
  return (
    <details
      open={open}
      onToggle={({ currentTarget }) => {
        if (currentTarget.open) setMade(true);
      }}
    >
      <summary>{title}</summary>
      {made && children}
    </details>
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
