using GrayMQ.Testing;

namespace GrayMQ.Compatibility.Tests.AliOns;

/// <summary>The npm package ali-ons: an independent client of the remoting protocol.</summary>
public sealed class AliOnsPackage : NpmPackage
{
    public AliOnsPackage()
        : base("AliOns/Client", "client.js")
    {
    }
}
