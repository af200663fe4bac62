import { render } from 'preact';
import 'virtual:colors.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/content.css';
import { App } from './app.js';
import { keepOffline } from './keep-offline.js';

render(<App />, document.querySelector('#page')!);
keepOffline();
