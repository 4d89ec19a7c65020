using System.Buffers;
using System.Text;

namespace GrayMQ.Gray.Tests;

public sealed class GrayJsonTests
{
    private static readonly GraySnapshot Snapshot = new()
    {
        Version = new GrayVersion("f00d", 17),
        Topics =
        [
            new GrayTopic { Name = "Orders", Queues = 6, Size = 2, State = GrayTopicState.On, Since = 3, ChangedMs = 5, ChangedBy = "kim" },
            new GrayTopic { Name = "Parcels", Queues = 8, Size = 3, State = GrayTopicState.Enabling },
        ],
        Releases =
        [
            new GrayRelease
            {
                Group = "billing",
                Generation = 2,
                State = GrayReleaseState.Promoting,
                Promotion = GrayPromotion.Replace,
                Rules = [new GrayRule { Kind = GrayRuleKind.Address, Pattern = "10.1.0.0/16" }],
                Clients = new Dictionary<string, Side> { ["a@1"] = Side.Gray, ["b@2"] = Side.Normal },
                AbsenceMs = GrayRelease.ForEver,
                Forced = 1,
                OpenedMs = 7,
                OpenedBy = "kim",
                Since = 16,
            },
            new GrayRelease { Group = "shop", Kind = GrayReleaseKind.Producer, Generation = 1, State = GrayReleaseState.Open },
        ],
    };

    [Fact]
    public void Snapshot_ThereAndBack_IsEqual()
    {
        byte[] json = GrayJson.Encode(Snapshot);

        GraySnapshot back = GrayJson.DecodeSnapshot(new ReadOnlySequence<byte>(json));

        Assert.Equal(Snapshot, back);
        Assert.Equal(json, GrayJson.Encode(back));
        Assert.NotEqual(Snapshot, back with { Topics = [] });
    }

    [Fact]
    public void Progress_ThereAndBack_IsEqual()
    {
        var progress = new GrayProgress
        {
            Broker = "broker-a",
            Address = "192.0.2.1:10911",
            Version = Snapshot.Version,
            Releases = [new GrayReleaseProgress { Group = "billing", Generation = 2, State = GrayReleaseState.Promoting, GivenUp = 4 }],
            Queues =
            [
                new GrayQueueProgress
                {
                    Group = "billing", Topic = "Orders", Queue = 5, Owner = Side.Gray, IsHandedOver = true, Next = Side.Normal, Boundary = 9, Consumed = 4, Reason = "no gray client is connected",
                },
                new GrayQueueProgress { Group = "billing", Topic = "Orders", Queue = 1 },
            ],
        };

        GrayProgress back = GrayJson.DecodeProgress(new ReadOnlySequence<byte>(GrayJson.Encode(progress)));

        Assert.Equal(progress, back);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"version\":{\"epoch\":\"e\",\"version\":-1}}")]
    [InlineData("{\"version\":{\"epoch\":\"e\",\"version\":1},\"topics\":null}")]
    [InlineData("{\"version\":{\"epoch\":\"e\",\"version\":1},\"topics\":[null]}")]
    [InlineData("{\"version\":{\"epoch\":\"e\",\"version\":1},\"topics\":[{\"name\":\"T\",\"queues\":2,\"size\":2,\"state\":\"on\"}]}")]
    [InlineData("{\"version\":{\"epoch\":\"e\",\"version\":1},\"topics\":[{\"name\":\"T\",\"queues\":4,\"size\":2,\"state\":2}]}")]
    [InlineData("{\"version\":{\"epoch\":\"e\",\"version\":1},\"topics\":[{\"name\":\"\",\"queues\":4,\"size\":2,\"state\":\"on\"}]}")]
    [InlineData("{\"version\":{\"epoch\":\"e\",\"version\":1},\"releases\":[{\"group\":\"g\",\"generation\":0,\"state\":\"open\"}]}")]
    [InlineData("{\"version\":{\"epoch\":\"e\",\"version\":1},\"releases\":[{\"group\":\"g\",\"generation\":1,\"state\":\"promoting\"}]}")]
    [InlineData("{\"version\":{\"epoch\":\"e\",\"version\":1},\"releases\":[{\"group\":\"g\",\"generation\":1,\"state\":\"withdrawing\"}]}")]
    [InlineData("{\"version\":{\"epoch\":\"e\",\"version\":1},\"releases\":[{\"group\":\"g\",\"generation\":1,\"state\":\"open\",\"rules\":[{\"kind\":\"address\",\"pattern\":\"x\"}]}]}")]
    [InlineData("{\"version\":{\"epoch\":\"e\",\"version\":1}} {}")]
    public void Snapshot_AgainstTheRules_IsRefused(string json) =>
        Assert.Throws<GrayFormatException>(() => GrayJson.DecodeSnapshot(Bytes(json)));

    [Fact]
    public void Snapshot_WithTwoOpenReleasesOfAGroup_IsRefused()
    {
        GrayRelease release = Snapshot.Releases[1];

        byte[] json = GrayJson.Encode(Snapshot with { Releases = [release, release with { Generation = 2 }] });

        Assert.Throws<GrayFormatException>(() => GrayJson.DecodeSnapshot(new ReadOnlySequence<byte>(json)));
    }

    [Fact]
    public void Snapshot_Truncated_IsRefusedWhereverItEnds()
    {
        byte[] json = GrayJson.Encode(Snapshot);

        for (int length = 0; length < json.Length; length++)
        {
            Assert.Throws<GrayFormatException>(() => GrayJson.DecodeSnapshot(new ReadOnlySequence<byte>(json, 0, length)));
        }
    }

    [Theory]
    [InlineData("e:1", "e:0", true, true)]
    [InlineData("e:1", "e:1", false, true)]
    [InlineData("e:1", "e:2", false, false)]
    [InlineData("f:1", "e:2", true, false)]
    [InlineData("e:1", ":0", true, true)]
    [InlineData(":0", "e:1", false, false)]
    public void Version_ToAnother_SupersedesAndIncludes(string ours, string theirs, bool supersedes, bool includes)
    {
        Assert.True(GrayVersion.TryParse(ours, out GrayVersion version));
        Assert.True(GrayVersion.TryParse(theirs, out GrayVersion other));

        Assert.Equal(supersedes, version.Supersedes(other));
        Assert.Equal(includes, version.Includes(other));
        Assert.Equal(ours, version.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("e")]
    [InlineData("e:")]
    [InlineData("e:-1")]
    [InlineData("e:x")]
    public void Version_ThatIsNone_DoesNotParse(string? text) => Assert.False(GrayVersion.TryParse(text, out _));

    private static ReadOnlySequence<byte> Bytes(string json) => new(Encoding.UTF8.GetBytes(json));
}
