/** Gives the image codecs their WebAssembly from node_modules, as a program under Node has to. */
import { loadImageCodecs } from '../../../src/node/image-codecs.js';

loadImageCodecs();
