using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace GrayMQ.Settings;

/// <summary>How values of one type are written, within a range or a set of names.</summary>
internal abstract class ValueSyntax<T>(string typeName, string expectation)
    where T : notnull
{
    public string TypeName { get; } = typeName;

    public string Expectation { get; } = expectation;

    public abstract bool TryParse(string text, [MaybeNullWhen(false)] out T value);

    public abstract string Format(T value);
}

/// <summary>true or false in any case. Unlike Java's parseBoolean, anything else is an error and not false.</summary>
internal sealed class BooleanSyntax() : ValueSyntax<bool>("boolean", "true or false")
{
    public override bool TryParse(string text, out bool value) => bool.TryParse(text, out value);

    public override string Format(bool value) => value ? "true" : "false";
}

/// <summary>Plain decimal numbers as in RocketMQ: a sign and digits, no suffixes, no separators.</summary>
internal sealed class NumberSyntax<T>(T min, T max, string typeName, NumberStyles styles)
    : ValueSyntax<T>(typeName, Describe(min, max, typeName))
    where T : struct, System.Numerics.INumber<T>, System.Numerics.IMinMaxValue<T>
{
    public override bool TryParse(string text, out T value) =>
        T.TryParse(text, styles, CultureInfo.InvariantCulture, out value) && value >= min && value <= max;

    public override string Format(T value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static string Describe(T min, T max, string typeName)
    {
        string what = typeName == "integer" ? "an integer" : "a number";
        return typeName != "integer" && min == T.MinValue && max == T.MaxValue
            ? what
            : string.Create(CultureInfo.InvariantCulture, $"{what} from {min} to {max}");
    }
}

internal sealed class TextSyntax() : ValueSyntax<string>("text", "a text")
{
    public override bool TryParse(string text, out string value)
    {
        value = text;
        return true;
    }

    public override string Format(string value) => value;
}

/// <summary>One of a few names, in any case; the name is written as RocketMQ writes it.</summary>
internal sealed class ChoiceSyntax<T>((string Name, T Value)[] choices)
    : ValueSyntax<T>("choice", Describe(choices))
    where T : notnull
{
    public override bool TryParse(string text, [MaybeNullWhen(false)] out T value)
    {
        foreach ((string name, T candidate) in choices)
        {
            if (name.Equals(text, StringComparison.OrdinalIgnoreCase))
            {
                value = candidate;
                return true;
            }
        }
        value = default;
        return false;
    }

    public override string Format(T value) =>
        Array.Find(choices, choice => choice.Value.Equals(value)).Name
        ?? throw new ArgumentOutOfRangeException(nameof(value), value, $"expected {Expectation}");

    private static string Describe((string Name, T Value)[] choices)
    {
        string[] names = [.. choices.Select(choice => choice.Name)];
        return names.Length < 2
            ? string.Concat(names)
            : string.Join(", ", names[..^1]) + " or " + names[^1];
    }
}

/// <summary>Items separated by ';', trimmed, empty ones left out, as in namesrvAddr.</summary>
internal sealed class ListSyntax() : ValueSyntax<IReadOnlyList<string>>("list", "a list separated by ';'")
{
    public override bool TryParse(string text, out IReadOnlyList<string> value)
    {
        value = text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return true;
    }

    public override string Format(IReadOnlyList<string> value) => string.Join(';', value);
}
