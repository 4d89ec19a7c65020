using System.Text;
using GrayMQ.Broker.Metadata;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;

namespace GrayMQ.Broker.Groups;

public sealed class SubscriptionGroupHandlerTests
{
    [Fact]
    public async Task Put_OneAndList_AreThereForGetAndGetAll()
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();

        await SucceedAsync(
            broker, RequestCode.UpdateAndCreateSubscriptionGroup, default(NoHeader), """{"groupName":"g1","retryMaxTimes":3}""");
        await SucceedAsync(
            broker,
            RequestCode.UpdateAndCreateSubscriptionGroupList,
            default(NoHeader),
            """{"groupConfigList":[{"groupName":"g2"},{"groupName":"g3","consumeEnable":false}]}""");

        SubscriptionGroupConfig one = await broker.Client.AskAsync<GroupHeader, SubscriptionGroupConfig>(
            RequestCode.GetSubscriptionGroupConfig, new GroupHeader("g1"));
        Assert.Equal(("g1", 3), (one.GroupName, one.RetryMaxTimes));
        SubscriptionGroupWrapper all = await broker.Client.AskAsync<NoHeader, SubscriptionGroupWrapper>(
            RequestCode.GetAllSubscriptionGroupConfig, default);
        Assert.False(all.SubscriptionGroupTable["g3"].ConsumeEnable);
        Assert.Equal(broker.Groups.Version, all.DataVersion);
        Assert.Equal(broker.Groups.Count, all.SubscriptionGroupTable.Count);
    }

    [Fact]
    public async Task Put_NameThatCannotBe_IsRefused()
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();

        RemotingCommand reply = await broker.Client.AskAsync(
            RequestCode.UpdateAndCreateSubscriptionGroup, default(NoHeader), """{"groupName":"a b"}"""u8.ToArray());

        Assert.Equal(ResponseCode.InvalidParameter, reply.ResponseCode);
        Assert.Contains("illegal characters", reply.Remark);
    }

    [Fact]
    public async Task Get_UnknownGroupThatMayNotBeCreated_SaysSo()
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync(
            directory => directory.GroupOptions = new GroupOptions { AutoCreateSubscriptionGroup = false });

        RemotingCommand reply = await broker.Client.AskAsync(RequestCode.GetSubscriptionGroupConfig, new GroupHeader("g"));

        Assert.Equal(ResponseCode.SubscriptionGroupNotExist, reply.ResponseCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Delete_Group_TakesOffsetsAlongWhenAsked(bool cleanOffset)
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();
        broker.Groups.Find("g");
        broker.Offsets.Commit("g", "t", 0, 5);

        await SucceedAsync(broker, RequestCode.DeleteSubscriptionGroup, new DeleteSubscriptionGroupHeader("g", cleanOffset));

        Assert.Null(broker.Groups.FindExisting("g"));
        Assert.Equal(cleanOffset ? -1 : 5, broker.Offsets.Find("g", "t", 0));
    }

    [Fact]
    public async Task Forbid_ReadingATopic_IsAnsweredAndKept()
    {
        await using MetadataBroker broker = await MetadataBroker.StartAsync();

        Assert.True(await AskAsync(null));
        Assert.False(await AskAsync(false));
        Assert.False(await AskAsync(null));
        Assert.True(broker.Groups.IsReadForbidden("g", "t"));
        Assert.True(await AskAsync(true));

        async Task<bool?> AskAsync(bool? readable) =>
            (await broker.Client.AskAsync<UpdateGroupForbiddenHeader, GroupForbidden>(
                RequestCode.UpdateAndGetGroupForbidden, new UpdateGroupForbiddenHeader("g", "t", readable))).Readable;
    }

    private static async Task SucceedAsync<THeader>(MetadataBroker broker, RequestCode code, THeader header, string? body = null)
        where THeader : IHeaderFields
    {
        RemotingCommand reply = await broker.Client.AskAsync(code, header, body is null ? null : Encoding.UTF8.GetBytes(body));
        Assert.True(reply.ResponseCode == ResponseCode.Success, reply.Remark);
    }
}
