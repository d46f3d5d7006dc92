/** Preloaded before streamtool: its clock is SKEW_MS ahead. */
const RealDate = Date
const skewMs = Number(process.env.SKEW_MS)

globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + skewMs)
    else super(...given)
  }

  static now() {
    return RealDate.now() + skewMs
  }
}
