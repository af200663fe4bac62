/// <reference types="vite/client" />

/** The colours of reports (vite.config.ts). */
declare module 'virtual:colors.css';
