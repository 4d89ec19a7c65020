using System.Globalization;
using System.Text;
using GrayMQ.Filtering;

namespace GrayMQ.Broker.Pulling;

/// <summary>How much of what clients ask for is kept.</summary>
public sealed class RememberedExpressionsTests
{
    [Fact]
    public void Add_OfManyLongTexts_StaysWithinItsBytes()
    {
        var remembered = new RememberedExpressions();
        string tail = new('x', 10_000);
        for (int i = 0; i < 500; i++)
        {
            Add(remembered, i.ToString(CultureInfo.InvariantCulture) + tail);
            Assert.InRange(remembered.Bytes, 1, RememberedExpressions.MaxBytes);
        }

        Assert.True(remembered.TryFind("TAG"u8, Encoding.UTF8.GetBytes($"499{tail}"), out SubscriptionExpression? last));
        Assert.Equal($"499{tail}", last.Text);
        Assert.False(remembered.TryFind("TAG"u8, Encoding.UTF8.GetBytes($"0{tail}"), out _));
    }

    [Fact]
    public void Add_OfATextThatIsTooLong_IsNotRemembered()
    {
        var remembered = new RememberedExpressions();
        string text = new('x', RememberedExpressions.MaxTextBytes + 1);
        Add(remembered, text);

        Assert.False(remembered.TryFind("TAG"u8, Encoding.UTF8.GetBytes(text), out _));
        Assert.Equal(0, remembered.Bytes);
    }

    [Fact]
    public void Add_OfOneOfEachType_KeepsThemApart()
    {
        var remembered = new RememberedExpressions();
        Add(remembered, "a");
        remembered.Add("SQL92", SubscriptionExpression.Parse("SQL92", "a = 1"), 5);

        Assert.True(remembered.TryFind("TAG"u8, "a"u8, out _));
        Assert.False(remembered.TryFind("SQL92"u8, "a"u8, out _));
        Assert.True(remembered.TryFind("SQL92"u8, "a = 1"u8, out _));
    }

    private static void Add(RememberedExpressions remembered, string text) =>
        remembered.Add("TAG", SubscriptionExpression.Parse("TAG", text), Encoding.UTF8.GetByteCount(text));
}
