using System.Globalization;

namespace GrayMQ.Filtering.Tests.Generators;

/// <summary>
/// Writes random expressions over few properties and few values, so that conditions meet: the same value is asked for here and there, as text
/// and as number, negated, in lists, on either side.
/// </summary>
internal sealed class ExpressionGenerator(Random random, FilterLanguage language)
{
    private static readonly string[] Properties = ["MessageType", "MessageType", "messageType", "a", "b", "c"];
    private static readonly string[] Texts = ["A", "B", "C", "x", "1", "10", "true", "ab", "b", "it's", "é"];
    private static readonly string[] Numbers = ["0", "1", "2", "10", "1.5", "3000000000", "2.0"];
    private static readonly string[] Orders = ["<", "<=", ">", ">="];
    private static readonly string[] Patterns = ["[A-C]", "a.*", @"\\d+", "(a|b)+", "x?"];

    private bool IsSql => language == FilterLanguage.Sql92;

    /// <summary>A message whose properties have something to do with the expressions.</summary>
    public static byte[] Message(Random random)
    {
        var properties = new List<KeyValuePair<string, string>>();
        foreach (string name in Properties.Distinct().Append("other"))
        {
            if (random.Next(4) > 0)
            {
                string value = random.Next(3) == 0 ? Pick(random, Numbers) : Pick(random, Texts);
                properties.Add(new(name, random.Next(12) == 0 ? "-" + value : value));
            }
        }

        if (random.Next(8) == 0 && properties.Count > 0)
        {
            properties.Add(new(properties[0].Key, Pick(random, Texts)));
        }

        return Messages.Bytes(properties.OrderBy(_ => random.Next()));
    }

    public string Next() => Condition(random.Next(1, 5));

    private string Condition(int depth)
    {
        if (depth == 0)
        {
            return IsSql ? SqlCondition() : HeaderCondition();
        }

        return random.Next(IsSql ? 9 : 10) switch
        {
            0 or 1 => $"({Condition(depth - 1)} {And} {Condition(depth - 1)})",
            2 or 3 => $"({Condition(depth - 1)} {Or} {Condition(depth - 1)})",
            4 => $"{Condition(depth - 1)} {And} {Condition(depth - 1)} {Or} {Condition(depth - 1)}",
            5 => $"{Not} ({Condition(depth - 1)})",
            6 => $"({Property()} {Equal} {Text()} {And} {Condition(depth - 1)})",
            7 when IsSql => $"(({Condition(depth - 1)}) IS {Either("", "NOT ")}NULL)",
            8 when IsSql => $"(({Condition(depth - 1)}) {Either("=", "<>")} ({Condition(depth - 1)}))",
            7 => $"(({Condition(depth - 1)}) {Either("==", "!=")} ({Condition(depth - 1)}))",
            8 => $"({Condition(depth - 1)} ? {Condition(depth - 1)} : {Condition(depth - 1)})",
            _ => Condition(0),
        };
    }

    private string And => IsSql ? "AND" : "&&";

    private string Or => IsSql ? "OR" : "||";

    private string Not => IsSql ? "NOT" : "!";

    private string Equal => IsSql ? "=" : "==";

    private string SqlCondition() => random.Next(16) switch
    {
        0 or 1 or 2 => $"{Property()} {Either("=", "=", "<>")} {Text()}",
        3 => $"{Property()} {Either("=", "<>")} {Number()}",
        4 => $"{Number()} {Either("=", "<>")} {Property()}",
        5 => $"{Text()} {Either("=", "<>")} {Property()}",
        6 => $"{Property()} {Pick(random, Orders)} {Number()}",
        7 => $"{Number()} {Pick(random, Orders)} {Property()}",
        8 => $"{Property()} {Either("", "NOT ")}IN ({string.Join(", ", Enumerable.Range(0, random.Next(1, 11)).Select(_ => Text()))})",
        9 => $"{Property()} IS {Either("", "NOT ")}NULL",
        10 => $"{Property()} {Either("", "NOT ")}{Either("CONTAINS", "STARTSWITH", "ENDSWITH")} {Text()}",
        11 => $"{Property()} {Either("", "NOT ")}BETWEEN -1 AND {Number()}",
        12 => $"{Property()} {Either("=", "<>", "<", ">=")} {Property()}",
        13 => $"{Property()} {Either("=", "<>")} {Either("TRUE", "FALSE")}",
        14 => Property(),
        _ => Either("NOT TRUE", "NOT FALSE", "NOT NULL", $"-{Property()} = {Property()}", $"({Property()} > 1) = {Property()}"),
    };

    private string HeaderCondition() => random.Next(16) switch
    {
        0 or 1 or 2 => $"{Property()} {Either("==", "==", "!=")} {Text()}",
        3 or 4 => $"{Property()} {Either("==", "!=")} {Number()}",
        5 => $"{HeaderText()} {Either("==", "!=")} {HeaderText()}",
        6 => $"{HeaderNumber(2)} {Pick(random, Orders)} {HeaderNumber(2)}",
        7 => $"{Property()} {Pick(random, Orders)} {Text()}",
        8 => $"{HeaderNumber(2)} {Either("==", "!=")} {HeaderNumber(2)}",
        9 => $"{Property()} {Either("==", "!=")} nil",
        10 => $"string.{Either("contains", "startsWith", "endsWith")}({HeaderText()}, {Text()})",
        11 => $"{Property()} =~ /{Pick(random, Patterns).Replace(@"\\", @"\", StringComparison.Ordinal)}/",
        12 => $"{Property()} {Either("==", "!=", "<", ">=")} {Property()}",
        13 => $"{Property()} {Either("==", "!=")} {Either("true", "false")}",
        14 => Property(),
        _ => Either("true", "false", "!true"),
    };

    private string HeaderNumber(int depth) => depth == 0 ? Number() : random.Next(7) switch
    {
        0 => $"({HeaderNumber(depth - 1)} {Either("+", "-", "*", "/", "%")} {HeaderNumber(depth - 1)})",
        1 => $"string.length({HeaderText()})",
        2 => $"string.indexOf({HeaderText()}, {Text()})",
        3 => $"-{Property()}",
        4 => $"({Property()} == {Text()} ? {HeaderNumber(depth - 1)} : {HeaderNumber(depth - 1)})",
        5 => Property(),
        _ => Number(),
    };

    private string HeaderText() => random.Next(6) switch
    {
        0 => $"string.substring({Property()}, {random.Next(3).ToString(CultureInfo.InvariantCulture)})",
        1 => $"string.substring({Property()}, 0, {random.Next(3).ToString(CultureInfo.InvariantCulture)})",
        2 => $"({Property()} == {Text()} ? {Property()} : {Text()})",
        _ => Property(),
    };

    private string Property() => Pick(random, Properties);

    private string Text()
    {
        string text = Pick(random, Texts);
        return IsSql ? $"'{text.Replace("'", "''", StringComparison.Ordinal)}'" : $"'{text.Replace("'", @"\'", StringComparison.Ordinal)}'";
    }

    private string Number() => (random.Next(6) == 0 ? "-" : "") + Pick(random, Numbers[(IsSql ? 1 : 0)..]);

    private string Either(params string[] choices) => Pick(random, choices);

    private static string Pick(Random random, string[] choices) => choices[random.Next(choices.Length)];
}
