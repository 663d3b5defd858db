// Messages of esbuild as places in the uploaded files.
import type { Message } from 'esbuild';
import { uploadedPath, withoutMarks } from './virtual-files.ts';

/** Errors that an answer lists, and warnings that a report does. */
export const MAX_PLACES = 50;
const MAX_CHARACTERS = 1_024;

export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  readonly text: string;
}

/** @param main  the file that a message without a place is put down to */
export function placeOf({ location, text }: Message, main: string): Place {
  const short = withoutMarks(text).slice(0, MAX_CHARACTERS);
  if (location === null) return { file: main, line: 1, column: 1, text: short };
  // esbuild counts bytes from 0; editors count characters from 1.
  const column = Buffer.from(location.lineText).subarray(0, location.column).toString().length + 1;
  return { file: uploadedPath(location.file), line: location.line, column, text: short };
}
