/** Tabs as the ARIA Authoring Practices have them: one tab stop, arrows, Home and End; the address names the tab. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface Tab {
  /** Also its address, `#id`; what follows a slash there is the tab's own. */
  readonly id: string;
  readonly title: string;
  readonly panel: ComponentChildren;
}

export function Tabs({ tabs, label }: { readonly tabs: readonly Tab[]; readonly label: string }) {
  const [selected, setSelected] = useState(() => tabOfAddress(tabs));
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const follow = () => setSelected(tabOfAddress(tabs));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, [tabs]);

  const select = (id: string) => {
    setSelected(id);
    history.replaceState(null, '', `#${id}`);
  };
  const onKeyDown = (event: JSX.TargetedKeyboardEvent<HTMLDivElement>) => {
    const place = tabs.findIndex(({ id }) => id === selected);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const { id } = tabs[(next + tabs.length) % tabs.length]!;
    select(id);
    list.current?.querySelector<HTMLElement>(`#tab-${id}`)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
        {tabs.map(({ id, title }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={id === selected}
            aria-controls={`panel-${id}`}
            tabIndex={id === selected ? 0 : -1}
            onClick={() => select(id)}
          >
            {title}
          </button>
        ))}
      </div>
      {tabs.map(({ id, panel }) => (
        <section key={id} role="tabpanel" id={`panel-${id}`} aria-labelledby={`tab-${id}`} hidden={id !== selected}>
          {panel}
        </section>
      ))}
    </>
  );
}

function tabOfAddress(tabs: readonly Tab[]): string {
  const [first] = location.hash.slice(1).split('/');
  const named = tabs.find(({ id }) => id === first);
  return (named ?? tabs[0]!).id;
}
