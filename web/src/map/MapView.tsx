/** The map on WebGL (sigma.js): marks, names, lines to the neighbours, and the trail. */
import { SigmaContainer } from '@react-sigma/core'
import { useMemo, useState } from 'react'
import type { Settings } from 'sigma/settings'
import type { NodeDisplayData } from 'sigma/types'
import type { Coloring } from '../data/coloring'
import { mix } from '../data/colors'
import type { Anime, AnimeGraph } from '../data/graph'
import type { Group } from '../data/search'
import { UPRIGHT, useMedia } from '../panels/media'
import type { OwnList } from '../taste/useOwnList'
import { Controller } from './Controller'
import { fading } from './fading'
import type { Box, FreeArea } from './geometry'
import { MarkProgram } from './MarkProgram'
import { makeNodes, minRatio, type Nodes, stagePadding } from './marks'
import { readColors, type View } from './view'

export interface MapProps {
  graph: AnimeGraph
  /** The graph with its titles in romaji; it stays the same while the language changes. */
  places: AnimeGraph
  selected: Anime | null
  /** The studio or genre whose titles are lit up. */
  group: Group | null
  trail: number[]
  hiddenClusters: ReadonlySet<number>
  /** The cluster under the pointer in the legend. */
  shownCluster: number | null
  ownList: OwnList
  coloring: Coloring
  /** The part of the map that nothing covers. */
  free: FreeArea
  /** What covers the map; no name is written there. */
  covered: Box[]
  dark: boolean
  /** Gets the function that makes a picture of the map. */
  picture: React.RefObject<(() => Promise<Blob>) | null>
  /** Stands below the picture. */
  caption: string
  onSelect(id: number): void
  /** There can be no map any more; `fault` is a sentence. */
  onLost(fault: string): void
}

function appearance(anime: Anime, view: View) {
  const share = fading(anime, view)
  const color = view.coloring.of(anime)[view.colors.theme]
  return {
    hidden: view.hiddenClusters.has(anime.cluster.id) && anime.id !== view.selected,
    color: share > 0 ? mix(color, view.colors.background, share) : color,
  }
}

const makeSettings = (graph: AnimeGraph, nodes: Nodes, view: View): Partial<Settings> => ({
  // Painter draws the names: sigma's own labels are chosen by cells and may overlap.
  renderLabels: false,
  defaultNodeType: 'mark',
  nodeProgramClasses: { mark: MarkProgram },
  defaultDrawNodeHover: () => {},
  minCameraRatio: minRatio(graph.anime.length),
  maxCameraRatio: 4,
  enableCameraRotation: false,
  stagePadding: stagePadding(),
  // Farther out than the whole map, marks shrink like distances.
  zoomToSizeRatioFunction: (ratio) => (ratio > 1 ? ratio : ratio ** nodes.getAttribute('zoomPower')),
  nodeReducer: (key, data) =>
    ({ ...data, ...appearance(graph.byId.get(Number(key))!, view) }) as Partial<NodeDisplayData>,
})

export default function MapView(props: MapProps) {
  const { places } = props
  const [view] = useState<View>(() => ({
    colors: readColors(props.dark),
    free: props.free,
    covered: props.covered,
    hovered: null,
    selected: null,
    near: new Set(),
    trail: [],
    hiddenClusters: new Set(),
    shownCluster: null,
    ownList: props.ownList,
    coloring: props.coloring,
    underCross: null,
  }))
  const upright = useMedia(UPRIGHT)
  const nodes = useMemo(() => makeNodes(places, upright), [places, upright])
  const settings = useMemo(() => makeSettings(places, nodes, view), [places, nodes, view])
  return (
    <SigmaContainer key={String(upright)} graph={nodes} settings={settings} className="map">
      <Controller {...props} view={view} />
    </SigmaContainer>
  )
}
