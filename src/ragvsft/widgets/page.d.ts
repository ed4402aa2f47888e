// What the scripts of a page offer each other. It has no effect on the page: `make check` reads it.
declare var ragvsftLexical: any;
declare var ragvsftMiniLM: any;
declare var ragvsftCrossings: (
  costs: (volume: number) => [number, number], low: number, high: number, bends?: number[], strides?: number[],
) => number[];

interface Window {
  ragvsftEvaluation: { read(text: string, limits: any): any };
  ragvsftAnswers: any;
  ragvsftCalculators: any;
  ragvsftCharts?: { view(element: Element, now?: boolean): Promise<any> | undefined };
  ragvsftDecisions: any;
  ragvsftMiniSearch: any;
  ragvsftModels: Record<string, (values: any) => Record<string, number>>;
  ragvsftPassages: any;
  ragvsftPassageSearch: any;
  ragvsftSearch: any;
  ragvsftSearchIndex: any;
  ragvsftToday?: string;
  ragvsftVega: any;
}
