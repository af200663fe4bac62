/** What the engine says beside its answers: a lost device, a device that cannot be had. */
import { useEngine } from './engine-state.js';

export function Notices() {
  const { notices, dismissNotices } = useEngine();
  return (
    <div role="alert">
      {notices.length > 0 && (
        <div class="notice">
          {notices.map((line, i) => (
            <p key={`${i} ${line}`}>{line}</p>
          ))}
          <button type="button" class="quiet" onClick={dismissNotices}>
            Dismiss
          </button>
        </div>
      )}
    </div>
  );
}
