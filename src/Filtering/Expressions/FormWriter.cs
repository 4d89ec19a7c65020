using System.Runtime.CompilerServices;
using System.Text;

namespace GrayMQ.Filtering.Expressions;

/// <summary>
/// Writes what stands in an interpolated string one behind the other, expressions by themselves: the forms of what an expression is made of
/// are never strings of their own, which together would be as many times as long as the expression is deep.
/// </summary>
[InterpolatedStringHandler]
internal readonly ref struct FormWriter
{
    private readonly StringBuilder _form;

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Style", "IDE0060", Justification = "The compiler passes both numbers.")]
    public FormWriter(int literalLength, int formattedCount, StringBuilder form) => _form = form;

    public void AppendLiteral(string text) => _form.Append(text);

    public void AppendFormatted(string text) => _form.Append(text);

    public void AppendFormatted(char character) => _form.Append(character);

    public void AppendFormatted(Expression expression) => expression.Write(_form);
}
