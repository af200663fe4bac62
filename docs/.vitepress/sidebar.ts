/** What there is to read, in the order of the sidebar. What folds has a page of its own: otherwise its heading would be a button around a button. */
import type { DefaultTheme } from 'vitepress';

const item = (text: string, link: string): DefaultTheme.SidebarItem => ({ text, link });

export const sidebar: DefaultTheme.SidebarItem[] = [
  {
    text: 'Use',
    items: [
      item('Getting started', '/getting-started'),
      item('Commands', '/commands'),
      item('As a library', '/library'),
      item('Examples', '/examples'),
      item('Checkpoints', '/checkpoints'),
      item('Encoders', '/encoders'),
      item('Data sets', '/datasets'),
      item('Learners', '/learners'),
      item('Studies of learners', '/studies'),
      item('Evaluation', '/evaluation'),
      item('Experiments', '/experiments/'),
      {
        text: 'Experiments on the demonstration',
        link: '/experiments/demo/',
        collapsed: true,
        items: [
          item('Table 2', '/experiments/demo/table2'),
          item('Table 3', '/experiments/demo/table3'),
          item('Table 4', '/experiments/demo/table4'),
          item('Figure 4', '/experiments/demo/figure4'),
          item('Learners', '/experiments/demo/learners'),
        ],
      },
      item('Reports', '/report'),
      item('In the browser', '/web'),
      item('Robustness', '/robustness'),
      item('Large data sets', '/scale'),
      item('Security', '/security'),
      item('Releasing', '/releasing'),
    ],
  },
  {
    text: 'Understand',
    items: [
      item('Reading guide', '/reading-guide'),
      item('The method', '/method'),
      item('Architecture', '/architecture'),
      item('Tensors, scopes and the tape', '/memory'),
      item('Tensor operations', '/tensor-operations'),
      item('Debugging numerics', '/debugging-numerics'),
    ],
  },
  {
    text: 'Kernels',
    items: [
      {
        text: 'All kernels',
        link: '/kernels/',
        collapsed: true,
        items: [
          item('Matrix product', '/kernels/matmul'),
          item('Attention', '/kernels/attention'),
          item('Attention with a bias', '/kernels/biased-attention'),
          item('Layer norm', '/kernels/layer-norm'),
          item('Row normalisation and softmax', '/kernels/row-norm'),
          item('Cross-entropy', '/kernels/cross-entropy'),
          item('Prompt composition', '/kernels/compose'),
          item('Dot products per group', '/kernels/group-dot'),
          item('Gather', '/kernels/gather'),
          item('Elementwise operations', '/kernels/elements'),
          item('Row sums', '/kernels/sum-rows'),
          item('Patch extraction', '/kernels/patch-rows'),
          item('Convolution and pooling', '/kernels/convolution'),
          item('Optimisers', '/kernels/optimizers'),
        ],
      },
      {
        text: 'Learn by doing',
        items: [
          item('Ladder: matrix product', '/kernels/ladder-matmul'),
          item('Ladder: attention', '/kernels/ladder-attention'),
          item('Exercises: a course', '/kernels/exercises'),
          item('A lesson of 90 minutes', '/lesson-plan'),
          item('A walk through the laboratory', '/kernels/walk-through'),
          item('Adding a kernel', '/kernels/add-a-kernel'),
        ],
      },
      {
        text: 'Gradients derived',
        items: [
          item('Layer norm', '/kernels/derivations/layer-norm'),
          item('Softmax and cross-entropy', '/kernels/derivations/softmax-cross-entropy'),
          item('Attention', '/kernels/derivations/attention'),
        ],
      },
      item('How WebGPU runs them', '/webgpu-kernels'),
      item('How the CPU runs them', '/cpu-kernels'),
      item('Certificates of devices', '/certify'),
      item('Mutation testing', '/mutation'),
      item('Where the time goes', '/profiling'),
      item('Real GPUs: expected and measured', '/gpu-estimate'),
    ],
  },
  {
    text: 'API reference',
    items: [
      item('ptdpc', '/api/ptdpc/'),
      item('ptdpc/node', '/api/ptdpc/node/'),
      item('ptdpc/demo', '/api/ptdpc/demo/'),
      item('ptdpc/lab', '/api/lab/'),
    ],
  },
];
