/** A place to drop files on, with buttons that do the same: dropping is for pointers only. */
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';

export interface DropZoneProps {
  readonly children: ComponentChildren;
  /** Takes what was dropped; `items` give folders too. Called in the event, while they may still be read. */
  readonly onDrop: (data: DataTransfer) => void;
}

export function DropZone({ children, onDrop }: DropZoneProps) {
  const [over, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the buttons inside are what a keyboard uses
    <div
      class={`drop${over ? ' over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer) onDrop(event.dataTransfer);
      }}
    >
      {children}
    </div>
  );
}

export interface FileButtonProps {
  readonly children: ComponentChildren;
  readonly onFiles: (files: readonly File[]) => void;
  /** As `<input accept>` has it. */
  readonly accept?: string;
  readonly multiple?: boolean;
  /** Chooses a folder, with all below it. */
  readonly folder?: boolean;
  readonly disabled?: boolean;
}

export function FileButton({ children, onFiles, accept, multiple, folder, disabled }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" disabled={disabled} onClick={() => input.current?.click()}>
        {children}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        {...(accept !== undefined && { accept })}
        multiple={multiple}
        {...(folder && { webkitdirectory: true })}
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          // So that the same file may be chosen again.
          currentTarget.value = '';
        }}
      />
    </>
  );
}
