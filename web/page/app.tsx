/** The page around its tabs. */
import { ChosenContext, useChosenState } from './chosen.js';
import { DeviceLine } from './device-line.js';
import { EngineContext, useEngineState } from './engine-state.js';
import { Notices } from './notices.js';
import { PredictTab } from './predict/predict-tab.js';
import { type Tab, Tabs } from './tabs.js';
import { TuneTab } from './tune/tune-tab.js';
import { WhenShown } from './when-shown.js';

const howItWorks = () => import('./how/how-tab.js').then(({ HowTab }) => HowTab);
const ownModel = () => import('./model/model-tab.js').then(({ ModelTab }) => ModelTab);
const course = () => import('./lab/course-tab.js').then(({ CourseTab }) => CourseTab);
const laboratory = () => import('./lab/lab-tab.js').then(({ LabTab }) => LabTab);

const TABS: readonly Tab[] = [
  { id: 'predict', title: 'Predict', panel: <PredictTab /> },
  { id: 'tune', title: 'Tune', panel: <TuneTab /> },
  { id: 'how', title: 'How it works', panel: <WhenShown load={howItWorks} /> },
  { id: 'model', title: 'Own model', panel: <WhenShown load={ownModel} /> },
  { id: 'course', title: 'Course', panel: <WhenShown load={course} /> },
  { id: 'laboratory', title: 'Laboratory', panel: <WhenShown load={laboratory} /> },
];

/** Set where the page lies beside the documentation. */
const DOCS = import.meta.env.VITE_DOCS;

export function App() {
  const state = useEngineState();
  return (
    <EngineContext.Provider value={state}>
      <header class="top">
        <div class="title">
          <h1>What does a picture make you feel?</h1>
          <p>
            PT-DPC: a frozen CLIP learns the words to ask with, here in your browser. Nothing leaves your computer.{' '}
            <a href="https://arxiv.org/abs/2201.10963">The paper</a>
            {DOCS !== undefined && (
              <>
                {' · '}
                <a href={`${DOCS}index.html`}>Documentation</a>
              </>
            )}
          </p>
        </div>
        <DeviceLine />
      </header>
      <main>
        <Notices />
        <ChosenContext.Provider value={useChosenState(state)}>
          <Tabs label="What to do" tabs={TABS} />
        </ChosenContext.Provider>
      </main>
    </EngineContext.Provider>
  );
}
