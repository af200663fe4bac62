/** The class words to choose between, if no prompts define them. */
import { useState } from 'preact/hooks';

export interface ClassWordsProps {
  readonly words: readonly string[];
  readonly onChange: (words: readonly string[]) => void;
}

export function ClassWords({ words, onChange }: ClassWordsProps) {
  const [text, setText] = useState(() => words.join(', '));
  return (
    <form
      class="field"
      onSubmit={(event) => {
        event.preventDefault();
        onChange(wordsOf(text));
      }}
    >
      <label for="class-words">Classes</label>
      <textarea
        id="class-words"
        rows={3}
        spellcheck={false}
        aria-describedby="class-words-note"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <button type="submit">Classify by these</button>
      <small id="class-words-note" class="muted">
        Words, divided by commas. The text of a class is “a photo seems to express a feeling of” and its word.
      </small>
    </form>
  );
}

/** Each word once. */
function wordsOf(text: string): string[] {
  const words = text
    .split(/[,\n]/)
    .map((word) => word.trim())
    .filter((word) => word !== '');
  return [...new Set(words)];
}
