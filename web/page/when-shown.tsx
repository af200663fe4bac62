/** Loads a tab's code when the tab is first looked at. */
import type { ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

export interface WhenShownProps {
  /** Called once, and again if it failed and the user asks for it. The same function at every rendering. */
  readonly load: () => Promise<ComponentType>;
}

export function WhenShown({ load }: WhenShownProps) {
  const place = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState(false);
  const [Content, setContent] = useState<ComponentType>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      setShown(true);
    });
    if (place.current) observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (!shown || failed) return;
    load().then(
      (loaded) => setContent(() => loaded),
      () => setFailed(true),
    );
  }, [load, shown, failed]);
  if (Content) return <Content />;
  return (
    <div ref={place}>
      {failed ? (
        <p role="alert" class="error">
          This part of the page cannot be fetched; is the page's server still there?{' '}
          <button type="button" onClick={() => setFailed(false)}>
            Try again
          </button>
        </p>
      ) : (
        <p class="lead">Loading …</p>
      )}
    </div>
  );
}
