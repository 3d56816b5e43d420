/** Recommends in a worker, so that the page stays responsive: a long list and 20,000 titles take seconds. */
import { makeRecommender, type Recommender, recommend } from './recommend'

let recommender: Recommender

addEventListener('message', ({ data }) => {
  if (data.vectors) recommender = makeRecommender(data.ids, data.vectors, data.model)
  else postMessage({ number: data.number, recommendations: recommend(recommender, data.scores) })
})
