using System.Runtime.CompilerServices;
using System.Text;

namespace GrayMQ.Filtering.Expressions;

/// <summary>
/// A part of a filter expression, of whichever language: the parsers settle what their languages mean by the types on either side,
/// so that a tree says the same to everybody who works on it. Immutable. Two expressions with the same <see cref="Form"/> mean the
/// same, wherever they stand.
/// </summary>
public abstract class Expression
{
    private string? _form;

    private protected Expression(SourceSpan span, params ReadOnlySpan<Expression> operands)
    {
        Span = span;
        foreach (Expression operand in operands)
        {
            Depth = Math.Max(Depth, operand.Depth + 1);
            Size += operand.Size;
            UsesProperties |= operand.UsesProperties;
        }
    }

    /// <summary>Where it stands in the text that was parsed.</summary>
    public SourceSpan Span { get; }

    /// <summary>Levels below this one.</summary>
    public int Depth { get; }

    /// <summary>Expressions that it is made of, itself included.</summary>
    public int Size { get; } = 1;

    /// <summary>Whether its value depends on the message.</summary>
    public bool UsesProperties { get; private protected init; }

    /// <summary>What it means, written out in one way: for people, and for telling whether two are the same.</summary>
    public string Form
    {
        get
        {
            if (_form is null)
            {
                var form = new StringBuilder();
                Write(form);
                _form = form.ToString();
            }

            return _form;
        }
    }

    /// <summary>The expressions that it is made of, in the order of evaluation.</summary>
    public abstract IReadOnlyList<Expression> Operands { get; }

    public sealed override string ToString() => Form;

    internal abstract void Write(StringBuilder form);

    // For those who write themselves by an interpolated string.
    private protected static void Put(
        StringBuilder form, [InterpolatedStringHandlerArgument(nameof(form))] ref FormWriter written)
    {
        _ = form;
        _ = written;
    }
}
