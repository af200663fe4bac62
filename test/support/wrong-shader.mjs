/**
 * Loaded into the program before it starts (`node --import`): a driver that compiles one kernel wrongly. WRONG_SHADER is a JSON array of a text
 * that shaders hold and the text in its place.
 */
import { globals } from 'webgpu';

const { GPUDevice } = globals;
const { createShaderModule } = GPUDevice.prototype;
const [from, to] = JSON.parse(process.env.WRONG_SHADER ?? '["", ""]');

GPUDevice.prototype.createShaderModule = function (descriptor) {
  return createShaderModule.call(this, { ...descriptor, code: descriptor.code.replace(from, to) });
};
