import type { Work } from './task.js';

export const open: Work<'open'> = ({ choice }, { session }) => session.open(choice);
