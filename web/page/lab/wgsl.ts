/** WGSL for the editor's colours and indentation: token by token, after the grammar's lexical part (https://www.w3.org/TR/WGSL/). */
import { StreamLanguage, type StringStream } from '@codemirror/language';

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));

const KEYWORDS = set(
  'alias break case const const_assert continue continuing default diagnostic discard else enable fn for if let loop override ' +
    'requires return struct switch var while',
);

const TYPES = set(
  'array atomic bool f16 f32 i32 u32 ptr sampler vec2 vec3 vec4 vec2f vec3f vec4f vec2h vec3h vec4h vec2i vec3i vec4i vec2u vec3u ' +
    'vec4u mat2x2 mat2x3 mat2x4 mat3x2 mat3x3 mat3x4 mat4x2 mat4x3 mat4x4 mat2x2f mat3x3f mat4x4f mat2x2h mat3x3h mat4x4h',
);

const CONSTANTS = set('true false storage uniform workgroup private function read write read_write');

const NUMBER = /^(?:0[xX][\da-fA-F]+[iu]?|(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?[iufh]?)/;

interface State {
  /** Block comments nest. */
  comments: number;
  /** Brackets that are open. */
  depth: number;
}

function token(stream: StringStream, state: State): string | null {
  if (state.comments > 0) return inComment(stream, state);
  if (stream.eatSpace()) return null;
  if (stream.match('//')) {
    stream.skipToEnd();
    return 'lineComment';
  }
  if (stream.match('/*')) {
    state.comments = 1;
    return inComment(stream, state);
  }
  if (stream.match(NUMBER)) return 'number';
  if (stream.match(/^@\s*\w+/)) return 'meta';
  const word = stream.match(/^[\p{XID_Start}_][\p{XID_Continue}]*/u);
  if (!word) {
    const sign = stream.next() ?? '';
    if ('{[('.includes(sign)) state.depth++;
    else if ('}])'.includes(sign)) state.depth = Math.max(0, state.depth - 1);
    return null;
  }
  const name = (word as RegExpMatchArray)[0];
  if (KEYWORDS.has(name)) return 'keyword';
  if (TYPES.has(name)) return 'typeName';
  if (CONSTANTS.has(name)) return 'atom';
  return stream.match(/^\s*\(/, false) ? 'variableName.function' : 'variableName';
}

function inComment(stream: StringStream, state: State): string {
  while (!stream.eol()) {
    if (stream.match('/*')) state.comments++;
    else if (!stream.match('*/')) stream.next();
    else if (--state.comments === 0) break;
  }
  return 'blockComment';
}

export const wgsl = StreamLanguage.define<State>({
  name: 'wgsl',
  startState: () => ({ comments: 0, depth: 0 }),
  token,
  indent: ({ depth }, textAfter, { unit }) => Math.max(0, depth - Number(/^\s*[})\]]/.test(textAfter))) * unit,
  languageData: {
    commentTokens: { line: '//', block: { open: '/*', close: '*/' } },
    indentOnInput: /^\s*[})\]]$/,
  },
});
