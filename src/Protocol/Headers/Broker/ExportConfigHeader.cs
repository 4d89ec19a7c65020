using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>Asks for RocketMQ's JSON files to be written (RocketMQ: ExportRocksDBConfigToJsonRequestHeader).</summary>
/// <param name="ConfigType">Of <c>topics</c>, <c>subscriptionGroups</c> and <c>consumerOffsets</c>, separated by semicolons.</param>
public readonly record struct ExportConfigHeader(string ConfigType) : ICommandHeader<ExportConfigHeader>
{
    public static ExportConfigHeader Read(HeaderFields fields) => new(fields.GetString("configType"u8));

    public void Write(ref HeaderWriter writer) => writer.Write("configType"u8, ConfigType);
}
