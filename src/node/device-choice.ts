/** Apart from `device.ts`, so that the command line's help need not load the kernels. */
export { DEVICE_CHOICES, type DeviceChoice } from '../kernels/device-choice.js';
