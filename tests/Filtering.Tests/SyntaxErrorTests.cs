namespace GrayMQ.Filtering.Tests;

public class SyntaxErrorTests
{
    [Theory]
    [InlineData("", 1, "a property, a literal, NOT or '('")]
    [InlineData("a =", 4, "found the end")]
    [InlineData("a > 'x'", 5, "texts and conditions have no order")]
    [InlineData("a == 1", 4, "a property, a literal, NOT or '(', found '='")]
    [InlineData("a = 1 AND AND b = 2", 11, "found 'AND'")]
    [InlineData("(a = 1", 7, "an operator or ')'")]
    [InlineData("a IN ('x', 5)", 12, "a text in single quotes, found '5'")]
    [InlineData("a BETWEEN 5 AND 1", 11, "nothing lies between")]
    [InlineData("a IS 5", 6, "NULL or NOT NULL")]
    [InlineData("a = 'x", 5, "no end")]
    [InlineData("a = 99999999999999999999", 5, "a whole number of 64 bits")]
    [InlineData("a = #", 5, "found '#'")]
    [InlineData("a = NULL", 5, "IS NULL")]
    [InlineData("a = 5 + b", 7, "an operator or the end")]
    public void Parse_Sql92_NamesColumnAndWhatWasExpected(string text, int column, string expected) =>
        Check(FilterLanguage.Sql92, text, column, expected);

    [Theory]
    [InlineData("", 1, "a property, a literal, a function")]
    [InlineData("a = 1", 3, "'==' or '=~', found '='")]
    [InlineData("a & b", 3, "'&&', found '&'")]
    [InlineData("a == 'x' || ", 13, "found the end")]
    [InlineData("a + 'x' == 1", 5, "a number or a property, found a text")]
    [InlineData("a < nil", 5, "a number or a text, found nil")]
    [InlineData("5", 1, "a condition, found a number")]
    [InlineData("a ? b", 6, "':'")]
    [InlineData("a =~ b", 6, "a regular expression")]
    [InlineData("a =~ /(/", 6, "a regular expression")]
    [InlineData("a =~ /(?=x)/", 6, "look-around")]
    [InlineData(@"a =~ /(a)\1/", 6, "references back")]
    [InlineData("a =~ /((a{99}){99}){99}/", 6, "repeats no more than")]
    [InlineData("string.reverse(a) == 'x'", 1, "found 'reverse'")]
    [InlineData("string.length(a, b) == 1", 1, "1 arguments of length, found 2")]
    [InlineData("a == 'x\\q'", 9, "behind a backslash")]
    [InlineData("a == 1x", 7, "the end of the number")]
    [InlineData("a == 1 )", 8, "an operator or the end")]
    public void Parse_Header_NamesColumnAndWhatWasExpected(string text, int column, string expected) =>
        Check(FilterLanguage.Header, text, column, expected);

    [Theory]
    [InlineData(FilterLanguage.Sql92, "NOT ", "a")]
    [InlineData(FilterLanguage.Sql92, "(", "a")]
    [InlineData(FilterLanguage.Sql92, "- ", "a = b")]
    [InlineData(FilterLanguage.Header, "!", "a")]
    [InlineData(FilterLanguage.Header, "(", "a")]
    [InlineData(FilterLanguage.Header, "a ? b : ", "c")]
    [InlineData(FilterLanguage.Header, "string.length(", "a")]
    public void Parse_TooDeep_IsRefused(FilterLanguage language, string level, string core)
    {
        string text = string.Concat(Enumerable.Repeat(level, FilterLimits.MaxDepth + 1)) + core;

        var mistake = Assert.Throws<ExpressionSyntaxException>(() => FilterExpression.Parse(language, text));

        Assert.Contains($"no more than {FilterLimits.MaxDepth} levels", mistake.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FilterLanguage.Sql92, "a = 'x' OR ")]
    [InlineData(FilterLanguage.Header, "a == 'x' || ")]
    public void Parse_LongChain_IsOneLevel(FilterLanguage language, string link)
    {
        string text = string.Concat(Enumerable.Repeat(link, 2000)) + "a";

        Assert.True(FilterExpression.Parse(language, text).Root.Depth < 5);
    }

    [Fact]
    public void Parse_TooLong_IsRefused() => Assert.Throws<ExpressionSyntaxException>(
        () => FilterExpression.Parse(FilterLanguage.Sql92, new string(' ', FilterLimits.MaxLength) + "a"));

    private static void Check(FilterLanguage language, string text, int column, string expected)
    {
        var mistake = Assert.Throws<ExpressionSyntaxException>(() => FilterExpression.Parse(language, text));

        Assert.True(mistake.Column == column, $"column {mistake.Column}: {mistake.Message}");
        Assert.Contains(expected, mistake.Message, StringComparison.Ordinal);
        Assert.StartsWith($"column {column}: ", mistake.Message, StringComparison.Ordinal);
    }
}
