// what the library that draws the charts defines, as far as it is used
declare function vegaEmbed(place: HTMLElement, spec: object, options: object): Promise<{ view: any }>;
