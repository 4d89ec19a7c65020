using System.Globalization;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Tests.Support;
using GrayMQ.Store.Timers;

namespace GrayMQ.Store.Tests.Timers;

/// <summary>When a record is due, by what it says itself and by when it was stored.</summary>
public sealed class DueRuleTests : IDisposable
{
    private const long RollWindowMs = 3_600_000;

    private readonly TempFolder _folder = new(inMemory: true);
    private readonly ManualTime _time = new();
    private readonly DueRule _rule = new(DelayLevels.Parse("1s 5s 10s"), RollWindowMs);

    public void Dispose() => _folder.Dispose();

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    [Theory]
    [InlineData(0, "", 1_000, 1)]
    [InlineData(1, "DELAY\u00012\u0002", 5_000, 2)]
    [InlineData(4, "DELAY\u00015\u0002", 10_000, 5)]
    [InlineData(4, "DELAY\u0001x\u0002", 10_000, 5)]
    public async Task Levels_WaitFromWhenTheyWereStored(int queueId, string properties, long waitsMs, byte level) => Assert.Equal(
        (NowMs + waitsMs, level, false), await ReadAsync(TopicNames.Schedule, queueId, properties));

    // TIMER_OUT_MS is a slot's end less one, and a slot up to a second wide: within it counts what the producer has asked for.
    [Theory]
    [InlineData(5_000, "TIMER_DELIVER_MS", 5_430, 5_430)]
    [InlineData(5_000, "TIMER_DELIVER_MS", 9_000, 6_000)]
    [InlineData(5_000, "TIMER_DELIVER_MS", 1_000, 5_001)]
    public async Task Times_WithinTheSlotThatWasGiven(long outMs, string name, long askedMs, long dueMs) => Assert.Equal(
        (NowMs + dueMs, (byte)0, false),
        await ReadAsync(TopicNames.WheelTimer, 0, Property("TIMER_OUT_MS", NowMs + outMs) + Property(name, NowMs + askedMs)));

    [Theory]
    [InlineData("TIMER_DELAY_SEC", 6, 6_000)]
    [InlineData("TIMER_DELAY_MS", 5_700, 5_700)]
    [InlineData("TIMER_DELAY_MS", -1, 6_000)]
    public async Task Delays_CountFromWhenTheyWereStored(string name, long delay, long dueMs) => Assert.Equal(
        (NowMs + dueMs, (byte)0, false),
        await ReadAsync(TopicNames.WheelTimer, 0, Property("TIMER_OUT_MS", NowMs + 5_000) + Property(name, delay)));

    [Theory]
    [InlineData(RollWindowMs - 1, RollWindowMs - 1, false)]
    [InlineData(RollWindowMs, RollWindowMs / 2, true)]
    [InlineData(RollWindowMs * 2, RollWindowMs, true)]
    [InlineData(RollWindowMs * 9, RollWindowMs, true)]
    public async Task FarAhead_IsRolled_AndTheLastStretchIsNoShortOne(long waitsMs, long dueMs, bool isRoll) => Assert.Equal(
        (NowMs + dueMs, (byte)0, isRoll),
        await ReadAsync(
            TopicNames.WheelTimer,
            0,
            Property("TIMER_OUT_MS", NowMs + waitsMs - 1) + Property("TIMER_DELIVER_MS", NowMs + waitsMs)));

    [Fact]
    public async Task WhatIsNotPending_IsNone()
    {
        string time = Property("TIMER_OUT_MS", NowMs + 5_000);
        Assert.Null(await ReadAsync("Orders", 0, time));
        Assert.Null(await ReadAsync(TopicNames.WheelTimer, 0, ""));
        Assert.Null(await ReadAsync(TopicNames.WheelTimer, 0, Property("TIMER_OUT_MS", -5)));
        Assert.Null(await ReadAsync(TopicNames.WheelTimer, 0, Property("TIMER_OUT_MS", long.MaxValue)));
        Assert.Null(await ReadAsync(TopicNames.WheelTimer, 0, time + "TIMER_DEL_UNIQKEY\u0001Orders+k\u0002"));
    }

    [Fact]
    public async Task TryParse_OwnText_IsTheSameRule()
    {
        DueRule? again = DueRule.TryParse(_rule.ToString());
        Assert.NotNull(again);
        Assert.Equal(_rule.ToString(), again.ToString());
        Assert.Equal(
            await ReadAsync(TopicNames.Schedule, 2, "DELAY\u00013\u0002"), await ReadAsync(TopicNames.Schedule, 2, "DELAY\u00013\u0002", again));
        Assert.Null(DueRule.TryParse("1s 5s"));
        Assert.Null(DueRule.TryParse("1s;-5"));
        Assert.Null(DueRule.TryParse("1s;5;6"));
    }

    private static string Property(string name, long value) =>
        string.Create(CultureInfo.InvariantCulture, $"{name}\u0001{value}\u0002");

    private async Task<(long DueMs, byte Level, bool IsRoll)?> ReadAsync(
        string topic, int queueId, string properties, DueRule? rule = null)
    {
        await using TestStore store = TestStore.Open(TestStore.Options(_folder[$"{Guid.NewGuid():N}"]), time: _time);
        AppendResult result = store.Append("body", topic, queueId, properties);
        using var slices = new MessageSlices();
        Assert.True(store.Store.TryReadMessage(result.PhysicalOffset, slices));
        Assert.True(StoredMessage.TryRead(slices[0], out StoredMessage message, out _));
        if (!(rule ?? _rule).TryRead(message, out TimerEntry entry))
        {
            return null;
        }

        Assert.Equal(result.PhysicalOffset, entry.PhysicalOffset);
        return (entry.DueMs, entry.Level, entry.IsRoll);
    }
}
