/** Draws the discs by WebGL. */
import type Sigma from 'sigma'
import { NodeCircleProgram } from 'sigma/rendering'
import type { NodeDisplayData } from 'sigma/types'
import { MIN_RADIUS } from './marks'

/** Replace `part` of a shader. Throws if this version of the library has no such part. */
function replaced(shader: string, part: string, by: string): string {
  if (!shader.includes(part)) throw new Error(`The shader of sigma does not contain: ${part}`)
  return shader.replace(part, by)
}

/**
 * The library's discs, with three differences. None is smaller than MIN_RADIUS. A dark rim separates those
 * that touch. The three corners of a disc are stored one after the other instead of as an instance: WebGL on
 * a processor draws instances one by one, which takes ten times as long.
 */
export class MarkProgram extends NodeCircleProgram {
  constructor(gl: WebGLRenderingContext, _pickingBuffer: WebGLFramebuffer | null, renderer: Sigma) {
    // Without a buffer for picking, for which every mark is drawn a second time: Marks.at finds them.
    super(gl, null, renderer)
  }

  getDefinition() {
    const { CONSTANT_ATTRIBUTES, CONSTANT_DATA: _angles, ...definition } = super.getDefinition()
    const rim = replaced(
      definition.FRAGMENT_SHADER_SOURCE,
      'gl_FragColor = mix(v_color, transparent, t);',
      `vec4 color = v_color;
  if (v_radius > 4.0 * border)
    color.rgb *= mix(1.0, 0.75, smoothstep(v_radius - 2.2 * border, v_radius - border, length(v_diffVector)));
  gl_FragColor = mix(color, transparent, t);`,
    )
    const size = replaced(
      definition.VERTEX_SHADER_SOURCE,
      'a_size * u_correctionRatio / u_sizeRatio',
      `max(a_size / u_sizeRatio, ${MIN_RADIUS.toFixed(1)}) * u_correctionRatio`,
    )
    const ATTRIBUTES = [...definition.ATTRIBUTES, ...CONSTANT_ATTRIBUTES]
    const changed = { VERTEX_SHADER_SOURCE: size, FRAGMENT_SHADER_SOURCE: rim, ATTRIBUTES }
    return { ...definition, ...changed } as unknown as ReturnType<NodeCircleProgram['getDefinition']>
  }

  processVisibleItem(nodeIndex: number, start: number, data: NodeDisplayData) {
    for (let corner = 0; corner < 3; corner++) {
      const next = start + (corner + 1) * this.ATTRIBUTES_ITEMS_COUNT
      super.processVisibleItem(nodeIndex, next - this.ATTRIBUTES_ITEMS_COUNT, data)
      this.array[next - 1] = (corner * 2 * Math.PI) / 3
    }
  }
}
