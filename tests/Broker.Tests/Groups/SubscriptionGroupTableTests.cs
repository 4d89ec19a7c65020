using GrayMQ.Broker.Metadata;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Groups;

public sealed class SubscriptionGroupTableTests : IDisposable
{
    private readonly BrokerDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Open_EmptyStore_HasTheSystemGroupsOfRocketMQ()
    {
        SubscriptionGroupTable groups = _directory.OpenGroups();

        Assert.Equal(
            [
                "CID_ONS-HTTP-PROXY", "CID_ONSAPI_OWNER", "CID_ONSAPI_PERMISSION", "CID_ONSAPI_PULL", "CID_RMQ_SYS_TRANS",
                "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP", "TOOLS_CONSUMER",
            ],
            groups.Snapshot().Groups.Select(group => group.GroupName));
    }

    [Fact]
    public void Find_UnknownGroup_IsCreatedOnce()
    {
        SubscriptionGroupTable groups = _directory.OpenGroups();
        var changes = new List<GroupChange>();
        groups.Changed += changes.Add;

        Assert.Null(groups.FindExisting("g"u8));
        SubscriptionGroupConfig group = groups.Find("g"u8)!;

        Assert.Equal(new SubscriptionGroupConfig { GroupName = "g" }.RetryMaxTimes, group.RetryMaxTimes);
        Assert.Same(group, groups.Find("g"));
        Assert.Same(group, groups.FindExisting("g"));
        Assert.Same(group, Assert.Single(Assert.Single(changes).Put));
        _directory.Close(cleanly: false);
        Assert.NotNull(_directory.OpenGroups().FindExisting("g"));
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("")]
    [InlineData("组")]
    public void Find_NoName_CreatesNothing(string name)
    {
        SubscriptionGroupTable groups = _directory.OpenGroups();
        int count = groups.Count;

        Assert.Null(groups.Find(name));
        Assert.Null(groups.Find(System.Text.Encoding.UTF8.GetBytes(name)));
        Assert.Equal(count, groups.Count);
    }

    [Fact]
    public void Find_AutoCreateIsOff_CreatesSystemGroupsOnly()
    {
        _directory.GroupOptions = new GroupOptions { AutoCreateSubscriptionGroup = false };
        SubscriptionGroupTable groups = _directory.OpenGroups();

        Assert.Null(groups.Find("g"));
        Assert.NotNull(groups.Find("CID_RMQ_SYS_new"));
    }

    [Fact]
    public void Put_Group_SurvivesAndHandedOutOnesStay()
    {
        SubscriptionGroupTable groups = _directory.OpenGroups();
        groups.Put(new SubscriptionGroupConfig { GroupName = "g", RetryMaxTimes = 3 });
        SubscriptionGroupConfig before = groups.Find("g")!;
        DataVersion version = groups.Version;

        Assert.True(groups.EnableConsuming("g", false));

        Assert.True(before.ConsumeEnable);
        Assert.False(groups.Find("g")!.ConsumeEnable);
        Assert.Equal(version.Counter + 1, groups.Version.Counter);
        version = groups.Version;
        _directory.Close(cleanly: false);
        groups = _directory.OpenGroups();
        Assert.Equal((3, false), (groups.Find("g")!.RetryMaxTimes, groups.Find("g")!.ConsumeEnable));
        Assert.Equal(version, groups.Version);
    }

    [Fact]
    public void Put_Invalid_IsRefused()
    {
        SubscriptionGroupTable groups = _directory.OpenGroups();

        Assert.Equal(ResponseCode.InvalidParameter, Refused(new SubscriptionGroupConfig { GroupName = "a b" }));
        Assert.Equal(ResponseCode.InvalidParameter, Refused(new SubscriptionGroupConfig { GroupName = "g", RetryQueueNums = -1 }));
        Assert.Equal(ResponseCode.SystemError, Refused(new SubscriptionGroupConfig { GroupName = "g", Attributes = new() { ["+a"] = "b" } }));

        ResponseCode Refused(SubscriptionGroupConfig config) => Assert.Throws<RemotingException>(() => groups.Put(config)).Code;
    }

    [Fact]
    public void ForbidReading_TwoTopics_AreLiftedOneByOne()
    {
        SubscriptionGroupTable groups = _directory.OpenGroups();
        Assert.False(groups.IsReadForbidden("g"u8, "t1"u8));

        groups.ForbidReading("g", "t1", true);
        groups.ForbidReading("g", "t2", true);
        groups.ForbidReading("g", "t1", false);

        Assert.False(groups.IsReadForbidden("g"u8, "t1"u8));
        Assert.True(groups.IsReadForbidden("g"u8, "t2"u8));
        Assert.True(groups.IsReadForbidden("g", "t2"));
        Assert.False(groups.IsReadForbidden("other"u8, "t2"u8));
        _directory.Close(cleanly: false);
        groups = _directory.OpenGroups();
        Assert.True(groups.IsReadForbidden("g"u8, "t2"u8));
        Assert.Equal(4, groups.ToWrapper().ForbiddenTable["g"]["t2"]);
    }

    [Fact]
    public void Delete_Group_IsGoneWithWhatItWasForbidden()
    {
        SubscriptionGroupTable groups = _directory.OpenGroups();
        groups.Find("g");
        groups.ForbidReading("g", "t", true);

        Assert.True(groups.Delete("g"));
        Assert.False(groups.Delete("g"));

        Assert.Null(groups.FindExisting("g"));
        Assert.False(groups.IsReadForbidden("g"u8, "t"u8));
        _directory.Close(cleanly: false);
        groups = _directory.OpenGroups();
        Assert.Null(groups.FindExisting("g"));
        Assert.Empty(groups.ToWrapper().ForbiddenTable);
    }

    [Fact]
    public void Find_ByBytes_AllocatesNothing()
    {
        SubscriptionGroupTable groups = _directory.OpenGroups();
        groups.ForbidReading("g", "t", true);
        bool all = groups.Find("TOOLS_CONSUMER"u8) is not null & groups.IsReadForbidden("g"u8, "t"u8);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            all &= groups.Find("TOOLS_CONSUMER"u8) is not null;
            all &= groups.IsReadForbidden("g"u8, "t"u8);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(all);
    }
}
