/** Draws the marks, discs and round covers, by WebGL. */
import { createNodeImageProgram } from '@sigma/node-image'
import type Sigma from 'sigma'
import type { InstancedProgramDefinition, NodeProgram, ProgramInfo } from 'sigma/rendering'
import type { NodeDisplayData, RenderParams } from 'sigma/types'

const COVER_PIXELS = 96

/** The library's class; its declared type leaves out what it inherits. */
declare class LibraryProgram extends NodeProgram {
  getDefinition(): InstancedProgramDefinition
  processVisibleItem(nodeIndex: number, start: number, data: NodeDisplayData): void
  setUniforms(params: RenderParams, program: ProgramInfo): void
}

const RoundImageProgram = createNodeImageProgram({
  size: { mode: 'max', value: COVER_PIXELS },
  maxTextureSize: 2048,
  padding: 0.05,
  debounceTimeout: 150,
  keepWithinCircle: true,
}) as unknown as typeof LibraryProgram

/** Replace `part` of a shader. Throws if this version of the library has no such part. */
function replaced(shader: string, part: string, by: string): string {
  if (!shader.includes(part)) throw new Error(`The shader of @sigma/node-image does not contain: ${part}`)
  return shader.replace(part, by)
}

/**
 * The library's program, with three differences. Covers are cut round, so that the colour of the cluster is
 * a ring around them. A dark rim separates marks that overlap. The three corners of a mark are stored one
 * after the other instead of as an instance: WebGL on a processor draws instances one by one, which takes
 * ten times as long.
 */
export class MarkProgram extends RoundImageProgram {
  constructor(gl: WebGLRenderingContext, _pickingBuffer: WebGLFramebuffer | null, renderer: Sigma) {
    // Without a buffer for picking, for which every mark is drawn a second time: Marks.at finds them.
    super(gl, null, renderer)
  }

  getDefinition() {
    const { CONSTANT_ATTRIBUTES, CONSTANT_DATA: _angles, ...definition } = super.getDefinition()
    const round = replaced(
      definition.FRAGMENT_SHADER_SOURCE,
      'abs(diffVector.x) > v_radius / paddingRatio || abs(diffVector.y) > v_radius / paddingRatio',
      'dist > v_radius / paddingRatio',
    )
    const rim = replaced(
      round,
      'if (dist < v_radius - border) {',
      `
    if (v_radius > 4.0 * border) color.rgb *= mix(1.0, 0.75, smoothstep(v_radius - 2.2 * border, v_radius - border, dist));
    if (dist < v_radius - border) {`,
    )
    const ATTRIBUTES = [...definition.ATTRIBUTES, ...CONSTANT_ATTRIBUTES]
    return { ...definition, FRAGMENT_SHADER_SOURCE: rim, ATTRIBUTES } as unknown as InstancedProgramDefinition
  }

  processVisibleItem(nodeIndex: number, start: number, data: NodeDisplayData) {
    for (let corner = 0; corner < 3; corner++) {
      const next = start + (corner + 1) * this.ATTRIBUTES_ITEMS_COUNT
      super.processVisibleItem(nodeIndex, next - this.ATTRIBUTES_ITEMS_COUNT, data)
      this.array[next - 1] = (corner * 2 * Math.PI) / 3
    }
  }
}
