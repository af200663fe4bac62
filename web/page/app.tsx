/** The page around its tabs. */
import { DeviceLine } from './device-line.js';
import { EngineContext, useEngineState } from './engine-state.js';
import { Notices } from './notices.js';
import { PredictTab } from './predict/predict-tab.js';
import { type Tab, Tabs } from './tabs.js';
import { TuneTab } from './tune/tune-tab.js';
import { WhenShown } from './when-shown.js';

const ownModel = () => import('./model/model-tab.js').then(({ ModelTab }) => ModelTab);
const laboratory = () => import('./lab/lab-tab.js').then(({ LabTab }) => LabTab);

const TABS: readonly Tab[] = [
  { id: 'predict', title: 'Predict', panel: <PredictTab /> },
  { id: 'tune', title: 'Tune', panel: <TuneTab /> },
  { id: 'model', title: 'Own model', panel: <WhenShown load={ownModel} /> },
  { id: 'laboratory', title: 'Laboratory', panel: <WhenShown load={laboratory} /> },
];

export function App() {
  const state = useEngineState();
  return (
    <EngineContext.Provider value={state}>
      <header class="top">
        <div class="title">
          <h1>PT-DPC</h1>
          <p>Prompt tuning of CLIP for image emotions, computed in this page. Nothing leaves your computer.</p>
        </div>
        <DeviceLine />
      </header>
      <main>
        <Notices />
        <Tabs label="What to do" tabs={TABS} />
      </main>
    </EngineContext.Provider>
  );
}
