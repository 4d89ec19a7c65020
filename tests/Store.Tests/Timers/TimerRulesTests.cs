using GrayMQ.Store.KeyValue;
using GrayMQ.Store.Tests.Support;
using GrayMQ.Store.Timers;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Store.Tests.Timers;

/// <summary>Earlier rules are kept, the newest first, and no more than there is use for.</summary>
public sealed class TimerRulesTests : IDisposable
{
    private readonly TempFolder _folder = new(inMemory: true);
    private readonly KeyValueStore _values;

    public TimerRulesTests() => _values = KeyValueStore.Open(_folder["state"], "progress");

    public void Dispose()
    {
        _values.Dispose();
        _folder.Dispose();
    }

    private List<string> Load(int levelSeconds) =>
    [
        .. TimerRules.Load(
            _values, _values.GetFamily("progress"), new DueRule(DelayLevels.Parse($"{levelSeconds}s"), 1000), NullLogger.Instance)
            .NewestFirst.Select(rule => rule.ToString()),
    ];

    [Fact]
    public void Load_RulesOfEarlierStarts_NewestFirstAndEachOnce()
    {
        Assert.Equal(["1s;1000"], Load(1));
        Assert.Equal(["1s;1000"], Load(1));
        Assert.Equal(["2s;1000", "1s;1000"], Load(2));
        Assert.Equal(["3s;1000", "2s;1000", "1s;1000"], Load(3));
        Assert.Equal(["1s;1000", "3s;1000", "2s;1000"], Load(1));
    }

    [Fact]
    public void Load_ManyChanges_TheOldestGo()
    {
        for (int seconds = 1; seconds <= 40; seconds++)
        {
            Load(seconds);
        }

        List<string> rules = Load(40);
        Assert.Equal(16, rules.Count);
        Assert.Equal("25s;1000", rules[^1]);
    }

    [Fact]
    public void Load_WhatIsNoRule_IsPassedOver()
    {
        _values.Put(_values.GetFamily("progress"), "timers.rules"u8.ToArray(), "5s;7\nnonsense\n6s"u8.ToArray());

        Assert.Equal(["1s;1000", "5s;7"], Load(1));
    }
}
