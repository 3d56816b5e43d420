/** Recommends beside the page, which stays free meanwhile: a long list against 20,000 titles takes seconds. */
import { makeRecommender, type Recommender, recommend } from './recommend'

let recommender: Recommender

onmessage = ({ data }) => {
  if (data.vectors) recommender = makeRecommender(data.ids, data.vectors, data.model)
  else postMessage({ number: data.number, recommendations: recommend(recommender, data.scores) })
}
