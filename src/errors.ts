/**
 * The one error class for bad input. Its message is a single line that names the file, tensor or option,
 * what was expected and what was found; the command line prints it as it is and exits with a non-zero code.
 * Every other error is a defect of this program.
 */
export class InputError extends Error {
  override readonly name = 'InputError';
}
