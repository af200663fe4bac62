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

const { VITE_DOCS, VITE_HOMEPAGE, VITE_REPOSITORY } = import.meta.env;

/** A page that was built to stand alone knows of documentation and source code only what package.json says. */
const LINKS = [
  { text: 'Paper (Deng et al., 2022)', href: 'https://arxiv.org/abs/2201.10963' },
  { text: 'Documentation', href: VITE_DOCS === undefined ? VITE_HOMEPAGE : `${VITE_DOCS}index.html` },
  { text: 'Source code', href: VITE_REPOSITORY },
].filter(({ href }) => href !== undefined);

export function App() {
  const state = useEngineState();
  return (
    <EngineContext.Provider value={state}>
      <header class="top">
        <div class="title">
          <h1>What does a picture make you feel?</h1>
          <p>
            CLIP can tell, but its answer depends on the words it is asked with. PT-DPC learns those words. Everything
            is computed in this page; no picture leaves your computer.{' '}
            <span class="links">
              {LINKS.map(({ text, href }) => (
                <a key={text} href={href}>
                  {text}
                </a>
              ))}
            </span>
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
