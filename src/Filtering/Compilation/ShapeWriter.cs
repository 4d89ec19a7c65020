using System.Text;
using System.Text.RegularExpressions;
using GrayMQ.Filtering.Expressions;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Compilation;

/// <summary>
/// Splits an expression into its shape, which is what it does, and the constants it does it with. Thousands of subscriptions have few
/// shapes, and a shape is compiled once.
/// </summary>
internal sealed class ShapeWriter
{
    private readonly PropertyNames _names;
    private readonly StringBuilder _code = new();
    private readonly List<int> _slots = [];
    private readonly List<byte[]> _texts = [];
    private readonly List<NumberKey> _keys = [];
    private readonly List<FilterNumber> _numbers = [];
    private readonly List<TextSet> _sets = [];
    private readonly List<Regex> _patterns = [];

    private ShapeWriter(PropertyNames names) => _names = names;

    /// <returns>The steps (<see cref="ShapeOp"/>) as the characters of a string, which makes them a key as well.</returns>
    public static (string Code, ShapeConstants Constants) Write(TruthExpression expression, PropertyNames names)
    {
        var writer = new ShapeWriter(names);
        writer.Match(expression);
        return (writer._code.ToString(), new ShapeConstants
        {
            Slots = [.. writer._slots],
            Texts = [.. writer._texts],
            Keys = [.. writer._keys],
            Numbers = [.. writer._numbers],
            Sets = [.. writer._sets],
            Patterns = [.. writer._patterns],
        });
    }

    // Where only a match counts, AND needs no more than bools, and OR neither when nothing but its last operand can fail.
    private void Match(TruthExpression expression)
    {
        if (expression is JunctionTruth junction
            && (junction.IsAnd || junction.Operands.SkipLast(1).All(operand => !operand.Possible.Has(Outcome.Error))))
        {
            Step(ShapeOp.MatchBegin, junction.IsAnd ? 1 : 0);
            for (int i = 0; i < junction.Operands.Count; i++)
            {
                if (i > 0)
                {
                    Step(ShapeOp.MatchNext);
                }

                Match(junction.Operands[i]);
            }

            Step(ShapeOp.MatchEnd);
            return;
        }

        Truth(expression);
        Step(ShapeOp.IsTrue);
    }

    private void Truth(TruthExpression expression)
    {
        switch (expression)
        {
            case ConstantTruth constant:
                Step(ShapeOp.Push, (int)constant.Value);
                break;
            case JunctionTruth junction:
                Step(ShapeOp.JunctionBegin, junction.IsAnd ? 1 : 0);
                foreach (TruthExpression operand in junction.Operands)
                {
                    Truth(operand);
                    Step(ShapeOp.JunctionNext);
                }

                Step(ShapeOp.JunctionEnd);
                break;
            case MappedTruth mapped:
                Truth(mapped.Operand);
                Step(ShapeOp.Map, mapped.Map.Bits);
                break;
            case TruthEquality equality:
                Truth(equality.Left);
                Truth(equality.Right);
                Step(ShapeOp.Call, ShapeMethods.EqualTruths);
                break;
            case ChosenTruth chosen:
                Truth(chosen.Condition);
                Step(ShapeOp.ChooseBegin, 1);
                Truth(chosen.Otherwise);
                Step(ShapeOp.ChooseThen);
                Truth(chosen.Then);
                Step(ShapeOp.ChooseEnd);
                break;
            case NumberTest test:
                Step(ShapeOp.Push, (int)test.Reading);
                Text(test.Text);
                Step(ShapeOp.Push, (int)test.Comparison);
                Step(ShapeOp.Key);
                _keys.Add(test.Value);
                Step(ShapeOp.Push, (int)test.IfMissing);
                Step(ShapeOp.Push, (int)test.IfNoNumber);
                Step(ShapeOp.Call, ShapeMethods.TestNumber);
                break;
            case TextNumberOrder order:
                Step(ShapeOp.Push, (int)order.Comparison);
                Text(order.Left);
                Text(order.Right);
                Step(ShapeOp.Call, ShapeMethods.TextNumbersInOrder);
                break;
            case NumberComparison comparison:
                Step(ShapeOp.Push, (int)comparison.Comparison);
                Number(comparison.Left);
                Number(comparison.Right);
                Step(ShapeOp.Call, ShapeMethods.Compare);
                break;
            default:
                TextCondition(expression);
                break;
        }
    }

    private void TextCondition(TruthExpression expression)
    {
        switch (expression)
        {
            case MissingTest missing:
                Text(missing.Text);
                Step(ShapeOp.Call, ShapeMethods.IsMissing);
                break;
            case TextEquality equality:
                Text(equality.Left);
                Text(equality.Right);
                Step(ShapeOp.Push, (int)equality.IfLeftMissing);
                Step(ShapeOp.Call, ShapeMethods.TextEquals);
                break;
            case TextMembership membership:
                Text(membership.Text);
                Step(ShapeOp.Set);
                _sets.Add(membership.Values);
                Step(ShapeOp.Push, membership.IsNegated ? 1 : 0);
                Step(ShapeOp.Push, (int)membership.IfMissing);
                Step(ShapeOp.Call, ShapeMethods.IsMember);
                break;
            case TextSearch search:
                Step(ShapeOp.Push, (int)search.Kind);
                Text(search.Text);
                Text(search.Part);
                Step(ShapeOp.Push, search.IsNegated ? 1 : 0);
                Step(ShapeOp.Call, ShapeMethods.Search);
                break;
            case TextOrder order:
                Step(ShapeOp.Push, (int)order.Comparison);
                Text(order.Left);
                Text(order.Right);
                Step(ShapeOp.Call, ShapeMethods.TextsInOrder);
                break;
            case TextPattern pattern:
                Text(pattern.Text);
                Step(ShapeOp.Pattern);
                _patterns.Add(pattern.Regex);
                Step(ShapeOp.Call, ShapeMethods.Fits);
                break;
            case TextTruthEquality equality:
                Text(equality.Text);
                Truth(equality.Truth);
                Step(ShapeOp.Push, (int)equality.IfTextMissing);
                Step(ShapeOp.Call, ShapeMethods.TextEqualsTruth);
                break;
            default:
                throw Unknown(expression);
        }
    }

    private void Text(TextExpression expression)
    {
        switch (expression)
        {
            case PropertyText property:
                Step(ShapeOp.Property);
                _slots.Add(_names.Find(property.NameUtf8));
                break;
            case LiteralText literal:
                Step(ShapeOp.Text);
                _texts.Add(literal.Utf8);
                break;
            case MissingText:
                Step(ShapeOp.MissingText);
                break;
            case SubstringText substring:
                Text(substring.Text);
                Number(substring.Begin);
                if (substring.End is null)
                {
                    Step(ShapeOp.Call, ShapeMethods.SubstringFrom);
                    break;
                }

                Number(substring.End);
                Step(ShapeOp.Call, ShapeMethods.Substring);
                break;
            case ChosenText chosen:
                Truth(chosen.Condition);
                Step(ShapeOp.ChooseBegin, 0);
                Text(chosen.Otherwise);
                Step(ShapeOp.ChooseThen);
                Text(chosen.Then);
                Step(ShapeOp.ChooseEnd);
                break;
            default:
                throw Unknown(expression);
        }
    }

    private void Number(NumberExpression expression)
    {
        switch (expression)
        {
            case LiteralNumber literal:
                Step(ShapeOp.Number);
                _numbers.Add(literal.Value);
                break;
            case ReadNumber read:
                Text(read.Text);
                Step(ShapeOp.Call, ShapeMethods.Read);
                break;
            case ArithmeticNumber arithmetic:
                Step(ShapeOp.Push, (int)arithmetic.Operation);
                Number(arithmetic.Left);
                Number(arithmetic.Right);
                Step(ShapeOp.Call, ShapeMethods.Compute);
                break;
            case LengthNumber length:
                Text(length.Text);
                Step(ShapeOp.Call, ShapeMethods.Length);
                break;
            case IndexOfNumber index:
                Text(index.Text);
                Text(index.Part);
                Step(ShapeOp.Call, ShapeMethods.IndexOf);
                break;
            case ChosenNumber chosen:
                Truth(chosen.Condition);
                Step(ShapeOp.ChooseBegin, 0);
                Number(chosen.Otherwise);
                Step(ShapeOp.ChooseThen);
                Number(chosen.Then);
                Step(ShapeOp.ChooseEnd);
                break;
            default:
                throw Unknown(expression);
        }
    }

    private void Step(ShapeOp op) => _code.Append((char)op);

    private void Step(ShapeOp op, int operand) => _code.Append((char)op).Append((char)operand);

    private static InvalidOperationException Unknown(Expression expression) =>
        new($"there is no way to compile a {expression.GetType().Name}");
}
