// The part of pdfkit that documents use; it brings no types of its own.
declare module 'pdfkit' {
  type TextOptions = {
    readonly width?: number;
    readonly align?: 'left' | 'right';
    readonly lineBreak?: boolean;
    readonly continued?: boolean;
  };
  type Options = {
    readonly size: string;
    readonly margin: number;
    readonly lang: string;
    readonly bufferPages: boolean;
    readonly info: Readonly<Record<string, string | Date>>;
  };
  class PDFDocument {
    constructor(options: Options);
    on(event: 'data', take: (part: Buffer) => void): this;
    on(event: 'end', done: () => void): this;
    on(event: 'error', failed: (error: Error) => void): this;
    x: number;
    y: number;
    readonly page: { readonly width: number; readonly height: number };
    font(name: string): this;
    fontSize(points: number): this;
    text(text: string, x?: number, y?: number, options?: TextOptions): this;
    heightOfString(text: string, options?: TextOptions): number;
    moveTo(x: number, y: number): this;
    lineTo(x: number, y: number): this;
    lineWidth(points: number): this;
    stroke(): this;
    addPage(): this;
    bufferedPageRange(): { readonly start: number; readonly count: number };
    switchToPage(n: number): this;
    end(): void;
  }
  export = PDFDocument;
}
