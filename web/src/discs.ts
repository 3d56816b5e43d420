/** The discs and covers of the map, drawn by WebGL. */
import { createNodeImageProgram } from '@sigma/node-image'
import type Sigma from 'sigma'
import type { InstancedProgramDefinition, NodeProgram, ProgramInfo } from 'sigma/rendering'
import type { NodeDisplayData, RenderParams } from 'sigma/types'

const COVER_PIXELS = 96

/** What the library's class is; the type that it declares leaves out all that it inherits. */
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

/** Replaces `part` of a shader, and fails at once should another version of the library be written differently. */
function replaced(shader: string, part: string, by: string): string {
  if (!shader.includes(part)) throw new Error(`the shader of @sigma/node-image has no longer ${part}`)
  return shader.replace(part, by)
}

/**
 * The library's discs, with three differences. Covers are cut round, so that the disc's colour stays as a ring around them.
 * A dark rim parts discs that lie on each other. And the three corners of every disc are stored one after the other instead
 * of as an instance: a WebGL that runs on the processor draws instances one by one, which takes ten times as long.
 */
export class CoverProgram extends RoundImageProgram {
  constructor(gl: WebGLRenderingContext, _pickingBuffer: WebGLFramebuffer | null, renderer: Sigma) {
    // Without a buffer for picking, which would draw every disc a second time: Painter.discAt finds them.
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
