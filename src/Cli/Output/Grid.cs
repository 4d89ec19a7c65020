using Spectre.Console;
using Spectre.Console.Rendering;

namespace GrayMQ.Cli.Output;

/// <summary>A result as a table: one line for each row, columns by spaces, so that grep and awk can read it too.</summary>
internal sealed class Grid
{
    private readonly Table _table = new Table().Border(TableBorder.None);

    /// <summary>A column of text.</summary>
    public Grid Column(string name) => Add(new TableColumn(new Text(name, new Style(decoration: Decoration.Bold))));

    /// <summary>A column of numbers.</summary>
    public Grid Number(string name) => Add(new TableColumn(new Text(name, new Style(decoration: Decoration.Bold))).RightAligned());

    /// <param name="cells">One for each column; null and empty show as a dash, so that columns can be counted.</param>
    public void Row(params string?[] cells) => _table.AddRow(
        cells.Select(IRenderable (cell) => new Text(string.IsNullOrEmpty(cell) ? "-" : Printable.Line(cell))));

    public void WriteTo(CommandContext context)
    {
        if (_table.Rows.Count == 0)
        {
            return;
        }

        using var lines = new StringWriter();
        AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = context.IsTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = context.IsTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new GridOutput(lines, context.IsTerminal, context.Width),
        }).Write(_table);
        foreach (string line in lines.ToString().TrimEnd('\n', '\r').ReplaceLineEndings("\n").Split('\n'))
        {
            // Tables fill their last column up with spaces.
            context.Output.WriteLine(line.TrimEnd(' '));
        }

        context.Output.Flush();
    }

    private Grid Add(TableColumn column)
    {
        _table.AddColumn(column.NoWrap().PadLeft(0).PadRight(2));
        return this;
    }

    private sealed class GridOutput(TextWriter writer, bool isTerminal, int width) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => isTerminal;

        public int Width => width;

        public int Height => 25;

        public void SetEncoding(System.Text.Encoding encoding)
        {
            // Whoever made the writer has chosen.
        }
    }
}
