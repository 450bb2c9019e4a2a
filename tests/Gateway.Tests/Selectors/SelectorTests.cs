using Gateway.Selectors;

namespace Gateway.Tests.Selectors;

public sealed class SelectorTests
{
    [Theory]
    [InlineData("model/name=plain", "plain")]
    [InlineData("model/id=plain", "plain")]
    [InlineData("model/name=vendor/with/slashes", "vendor/with/slashes")]
    [InlineData("model/name=vendor%2Fwith%2fslashes", "vendor/with/slashes")]
    [InlineData("model/name=a=b=c", "a=b=c")]
    [InlineData("model/name= spaced ", " spaced ")]
    [InlineData("model/name=50%25", "50%25")]
    [InlineData("model/name=model/name=x", "model/name=x")]
    [InlineData("model/name=\U0001F600", "\U0001F600")]
    public void A_model_is_named_by_all_that_follows(string text, string name)
    {
        var model = Assert.IsType<Selector.Model>(Selector.Parse(text));

        Assert.Equal((name, text, $"model/name={name}"), (model.Name, ((Selector)model).Text, model.Canonical));
    }

    [Theory]
    [InlineData("bot/id=helper", "helper")]
    [InlineData("bot/id=a/b", "a/b")]
    public void A_bot_is_named_by_all_that_follows(string text, string id) =>
        Assert.Equal(id, Assert.IsType<Selector.Bot>(Selector.Parse(text)).Id);

    [Theory]
    [InlineData("")]
    [InlineData("gpt-4o")]
    [InlineData("model/name=")]
    [InlineData("model/id=")]
    [InlineData("bot/id=")]
    [InlineData("model/name")]
    [InlineData("model/")]
    [InlineData("Model/name=plain")]
    [InlineData("model/NAME=plain")]
    [InlineData(" model/name=plain")]
    [InlineData("/model/name=plain")]
    [InlineData("model%2Fname=plain")]
    [InlineData("bot/name=helper")]
    [InlineData("bot=helper")]
    [InlineData("conversation/id=x")]
    [InlineData("conversation/")]
    public void Anything_else_is_no_selector(string text) => Assert.Null(Selector.Parse(text));

    [Theory]
    [InlineData("model/name=plain", "model/name=plain", true)]
    [InlineData("model/id=plain", "model/name=plain", true)]
    [InlineData("model/name=plain", "model/name=plai", false)]
    [InlineData("model/name=plain", "model/name=plain2", false)]
    [InlineData("model/name=plain", "model/name=pl*", true)]
    [InlineData("model/name=vendor%2Fx", "model/name=vendor/*", true)]
    [InlineData("model/name=plain", "model/*", true)]
    [InlineData("model/name=plain", "*", true)]
    [InlineData("bot/id=helper", "model/*", false)]
    [InlineData("model/name=PLAIN", "model/name=plain", false)]
    public void A_keys_pattern_is_exact_or_a_beginning(string text, string pattern, bool covers) =>
        Assert.Equal(covers, Selector.Parse(text)!.IsCoveredBy(pattern));

    [Theory]
    [InlineData("model/name=plain", true)]
    [InlineData("model/name=*", true)]
    [InlineData("bot/id=sup*", true)]
    [InlineData("bot/*", true)]
    [InlineData("*", true)]
    [InlineData("gpt-4o", false)]
    [InlineData("gpt-*", false)]
    [InlineData("model/name=", false)]
    [InlineData("conversation/*", false)]
    [InlineData("model/kind=*", false)]
    public void A_pattern_that_could_never_match_is_known(string pattern, bool could) => Assert.Equal(could, Selector.IsPattern(pattern));
}
