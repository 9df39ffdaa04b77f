// The dialogs that change who this browser's user is: choose a name, create an account, sign in. lib/identity opens
// them. They are loaded when first needed.
import { useIdentity } from "@/lib/browser/identity";
import { Dialog } from "@/ui/dialog";
import { AccountForm } from "./account-form";
import { NameForm } from "./name-form";
import { SignInForm } from "./sign-in-form";

const TITLES = {
  name: "Choose a name",
  account: "Create an account",
  "sign-in": "Sign in",
};

export default function IdentityDialogs() {
  const dialog = useIdentity((state) => state.dialog);
  const close = () => dialog?.answer(false);
  const done = () => dialog?.answer(true);
  return (
    <Dialog open={dialog !== null} onClose={close} title={dialog ? TITLES[dialog.question] : ""}>
      {dialog?.reason && <p className="mb-3 text-soft">{dialog.reason}</p>}
      {dialog?.question === "name" && <NameForm onDone={done} />}
      {dialog?.question === "account" && <AccountForm onDone={done} />}
      {dialog?.question === "sign-in" && <SignInForm onDone={done} />}
    </Dialog>
  );
}
