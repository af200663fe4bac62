/** The loss of label distributions: the Kullback-Leibler divergence of the predicted distribution from the one of the votes. */
import { add, crossEntropy, mul, sum, type Tensor } from '../tensor/index.js';

/**
 * Losses [images] for logits x [images, classes] and shares of votes d [images, classes] on the host, each row of which sums to 1:
 *
 *     KL(d || softmax(x)) = sum of d ln d + log sum exp(x) - d.x
 *
 * whose gradient with respect to x is softmax(x) - d (Geng, *Label Distribution Learning*, IEEE TKDE 28(7), 2016, equation 4: with one parameter
 * vector per class that is his criterion of maximum entropy). Composed of kernels that are there: log sum exp(x) - d.x is the cross-entropy with
 * the label plus (onehot(label) - d).x, which cancels little since the label is the class with most votes, or any other.
 */
export function votesLoss(logits: Tensor, labels: Int32Array, votes: Float32Array): Tensor {
  const { engine, rows, columns } = logits;
  const others = Float32Array.from(
    votes,
    (share, k) => Number(k % columns === labels[Math.floor(k / columns)]) - share,
  );
  const entropies = Float32Array.from({ length: rows }, (_, i) =>
    votes
      .subarray(i * columns, (i + 1) * columns)
      .reduce((all, share) => (share > 0 ? all + share * Math.log(share) : all), 0),
  );
  const rest = add(sum(mul(logits, engine.tensor(others, [rows, columns])), 1), engine.tensor(entropies, [rows]));
  return add(crossEntropy(logits, engine.indices(labels)), rest);
}
